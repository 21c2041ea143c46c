"""The contract of both APIs, kept in memory: what `contract_server` answers.

Its models multiply: output `y` is input `x` times the version's number. A file that begins with b"bad" ends FAILED.
Models `echo` and those of `TASKS` are always there. `echo` answers its inputs as they came, as y0, y1, ...; its
signature is `echo_inputs`, which it holds them to if it `is_strict`.
"""

import hashlib
from typing import Any

import numpy as np

from support.server.inference import answer
from support.server.jobs import ContractJobs, Refusal
from support.server.lifecycle import ContractLifecycle
from support.server.metrics import metrics_json
from support.server.rollouts import ContractRollouts
from support.server.tasks import TASKS, task_outputs

NOW = "2026-01-02T03:04:05Z"
SIGNATURE = {
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
}


class ContractState(ContractJobs, ContractLifecycle, ContractRollouts):
    part_bytes = 64 << 20
    looks_until_ready = 2
    url: str

    def __init__(self) -> None:
        ContractJobs.__init__(self)
        ContractLifecycle.__init__(self)
        ContractRollouts.__init__(self)
        self.echo_inputs: list[dict[str, Any]] = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
        self.is_strict = False
        self.requests: list[dict[str, Any]] = []
        self.arrays: list[np.ndarray] = []
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, int], dict[str, Any]] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.signature = SIGNATURE

    def model_json(self, name: str, *, deleted: bool = False) -> dict[str, Any]:
        if name not in self.models:
            raise Refusal(404, f"there is no model '{name}'")
        if self.models[name].get("deleted_at") and not deleted:
            raise Refusal(410, f"model '{name}' is deleted")
        ready = [number for (of, number), one in self.versions.items() if of == name and one["status"] == "READY"]
        return self.models[name] | {
            "latest_ready_version": max(ready, default=None),
            "status": "READY" if ready else "EMPTY",
        }

    def version_json(self, name: str, number: int, *, deleted: bool = False) -> dict[str, Any]:
        self.model_json(name, deleted=deleted)
        if (name, number) not in self.versions:
            raise Refusal(404, f"there is no version '{number}' of model '{name}'")
        if self.versions[name, number].get("deleted_at") and not deleted:
            raise Refusal(410, f"version {number} of model '{name}' is deleted")
        aliases = [alias for alias, version in self.models[name]["aliases"].items() if version == number]
        return self.versions[name, number] | {"aliases": aliases}

    def create_model(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["name"] in self.models:
            raise Refusal(409, f"model '{body['name']}' already exists", "name")
        self.models[body["name"]] = body | {"aliases": {}, "created_at": NOW, "updated_at": NOW}
        return self.model_json(body["name"])

    def create_version(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self.model_json(name)
        number = 1 + max((number for of, number in self.versions if of == name), default=0)
        unknown = {"status_reason": None, "inputs": None, "outputs": None, "task": None, "profile": None}
        self.versions[name, number] = (
            body
            | unknown
            | {
                "model": name,
                "version": number,
                "status": "PENDING_UPLOAD",
                "size_bytes": sum(file["size_bytes"] for file in body["files"]),
                "created_at": NOW,
                "updated_at": NOW,
            }
        )
        uploads = [self._upload(f"/bucket/{name}/{number}/{file['name']}", file) for file in body["files"]]
        return self.version_json(name, number) | {"uploads": uploads}

    def _upload(self, path: str, file: dict[str, Any]) -> dict[str, Any]:
        self.parts[path] = {}
        offsets = range(0, max(file["size_bytes"], 1), self.part_bytes)
        parts = [
            {
                "url": f"{self.url}{path}?X-Amz-Signature=a%2Fb%3D&offset={offset}",
                "method": "PUT",
                "headers": {"x-amz-checksum-sha256": "sum"},
                "offset": offset,
                "size_bytes": min(self.part_bytes, file["size_bytes"] - offset),
            }
            for offset in offsets
        ]
        return {"name": file["name"], "parts": parts}

    def stored(self, name: str, number: int, file: str) -> bytes:
        return b"".join(data for _, data in sorted(self.parts[f"/bucket/{name}/{number}/{file}"].items()))

    def complete(self, name: str, number: int) -> dict[str, Any]:
        version = self.versions[name, number]
        for file in version["files"]:
            if hashlib.sha256(self.stored(name, number, file["name"])).hexdigest() != file["sha256"]:
                raise Refusal(409, f"the upload is not complete: {file['name']} is missing", "files")
        if version["status"] == "PENDING_UPLOAD":
            version["status"], version["looks"] = "VALIDATING", self.looks_until_ready
        return self.version_json(name, number)

    def look(self, name: str, number: int, query: dict[str, str]) -> dict[str, Any]:
        version = self.versions.get((name, number), {})
        if version.get("status") == "VALIDATING":
            version["looks"] -= 1
            version["stage"] = "loading" if version["looks"] > 0 else None
            if version["looks"] <= 0 and self.stored(name, number, version["files"][0]["name"]).startswith(b"bad"):
                version |= {"status": "FAILED", "status_reason": "model.onnx is not an ONNX file"}
            elif version["looks"] <= 0:
                version |= {"status": "READY", "profile": {"load_ms": 1.5}} | self.signature | TASKS.get(name, {})
                self.record(name, "version.ready", number)
        return self.version_json(name, number, deleted="include_deleted" in query)

    def files(self, name: str, number: int) -> dict[str, Any]:
        version = self.version_json(name, number)
        path = f"{self.url}/bucket/{name}/{number}"
        return {"files": [file | {"url": f"{path}/{file['name']}?X-Amz-Signature=a"} for file in version["files"]]}

    def update(self, body: dict[str, Any], name: str, number: int | None = None) -> dict[str, Any]:
        self.change(self.models[name] if number is None else self.versions[name, number], body)
        return self.model_json(name) if number is None else self.version_json(name, number)

    def delete(self, query: dict[str, str], name: str, number: int | None = None) -> dict[str, Any] | None:
        if "purge" in query:
            return self.purge(name, number)
        if number is None:
            self.models[name]["deleted_at"] = NOW
            return self.model_json(name, deleted=True)
        removed = self.delete_version(name, number, force="force" in query)
        return self.version_json(name, number, deleted=True) | {"removed_aliases": removed, "changed_aliases": []}

    def restore(self, name: str, number: int | None = None) -> dict[str, Any]:
        found = self.models[name] if number is None else self.versions[name, number]
        found.pop("deleted_at", None)
        return self.model_json(name) if number is None else self.version_json(name, number)

    def list_models(self, query: dict[str, str]) -> dict[str, Any]:
        names = [name for name in sorted(self.models) if name.startswith(query.get("prefix", ""))]
        return page_of("models", [self.model_json(name) for name in names], query)

    def list_history(self, query: dict[str, str], name: str) -> dict[str, Any]:
        return page_of("entries", [one for one in reversed(self.history) if one["model"] == name], query)

    def metrics(self, query: dict[str, str], name: str) -> dict[str, Any]:
        self.model_json(name)
        return metrics_json(query, name, NOW)

    def list_keys(self, query: dict[str, str]) -> dict[str, Any]:
        return page_of("keys", list(self.keys.values()), query)

    def list_versions(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        numbers = sorted((number for of, number in self.versions if of == name), reverse=True)
        return page_of("versions", [self.version_json(name, number) for number in numbers], query)

    def list_jobs(self, query: dict[str, str]) -> dict[str, Any]:
        newest_first = [job | {"progress": None} for job in reversed(self.jobs.values())]
        return page_of("jobs", newest_first, query)

    def list_aliases(self, name: str) -> dict[str, Any]:
        return {"aliases": [self.alias_json(name, alias) for alias in self.model_json(name)["aliases"]]}

    def resolve(self, name: str, reference: str | None) -> int:
        if name in TASKS and name not in self.models:
            return 1
        if name == "echo":
            return 3
        found = self.model_json(name)
        number = found["latest_ready_version"] if reference is None else found["aliases"].get(reference, reference)
        if not str(number).isdigit():
            raise Refusal(404, f"there is no version '{reference}' of model '{name}'")
        return int(self.version_json(name, int(number))["version"])

    def metadata(self, name: str, reference: str | None) -> dict[str, Any]:
        said = {"name": name, "platform": "onnx_onnxv1"}
        if name == "echo":
            return said | {"versions": ["3"], "inputs": self.echo_inputs, "outputs": []}
        signature = self.signature | {key: one for key, one in TASKS.get(name, {}).items() if key != "task"}
        return said | {"versions": [str(self.resolve(name, reference))]} | signature

    def profile(self, name: str, reference: str | None, body: dict[str, Any]) -> dict[str, Any]:
        number = self.resolve(name, reference)
        if body["shapes"]["x"][1:] != [2]:
            raise Refusal(400, f"shapes.x: got {body['shapes']['x']}, expected [-1, 2]", "shapes.x")
        said = {"model_name": name, "model_version": str(number), "shapes": body["shapes"]}
        return said | {"runs": body.get("runs", 5), "run_ms": 0.5, "memory_mb": 1769, "cost_per_million_usd": 0.21}

    def infer(
        self, name: str, reference: str | None, body: bytes, header_length: int | None
    ) -> tuple[bytes, int | None]:
        """The answer's bytes, and how many of them are JSON."""
        number = self.resolve(name, reference)

        def compute(request: dict[str, Any], arrays: list[np.ndarray]) -> dict[str, tuple[str, np.ndarray]]:
            self.requests.append(request)
            self.arrays += arrays
            if name in TASKS:
                asked, has = (request.get("parameters") or {}).get("task"), TASKS[name]["task"]["name"]
                if asked in ("image-classification", "text-classification") and has.startswith(
                    "image"
                ) != asked.startswith("image"):
                    raise Refusal(
                        400, f"parameters.task: got '{asked}', but the model has the task {has}", "parameters.task"
                    )
                return task_outputs(name, request, arrays)
            return self._echo(request, arrays) if name == "echo" else self._multiply(request, arrays, number)

        return answer(body, header_length, {"model_name": name, "model_version": str(number)}, compute)

    def _echo(self, request: dict[str, Any], arrays: list[np.ndarray]) -> dict[str, tuple[str, np.ndarray]]:
        pairs = enumerate(zip(request["inputs"], arrays, strict=True))
        names, known = [one["name"] for one in request["inputs"]], [one["name"] for one in self.echo_inputs]
        if not set(names) <= set(known):
            raise Refusal(400, "no such input", "inputs")
        by_name = {one["name"]: one for one in self.echo_inputs}
        for tensor in request["inputs"]:
            expected = by_name[tensor["name"]]
            fits = {
                "datatype": tensor["datatype"] == expected["datatype"],
                "shape": len(tensor["shape"]) == len(expected["shape"]),
            }
            for part in (one for one in fits if self.is_strict and not fits[one]):
                where = f"inputs[{tensor['name']}].{part}"
                raise Refusal(400, f"{where}: got {tensor[part]}, expected {expected[part]}", where)
        return {f"y{index}": (tensor["datatype"], array) for index, (tensor, array) in pairs}

    def _multiply(
        self, request: dict[str, Any], arrays: list[np.ndarray], number: int
    ) -> dict[str, tuple[str, np.ndarray]]:
        (tensor,), (array,) = request["inputs"], arrays
        if tensor["name"] != "x" or tensor["datatype"] != "FP32" or tensor["shape"][1:] != [2]:
            raise Refusal(400, "inputs[x].shape: not what the model takes", "inputs[x].shape")
        return {"y": ("FP32", array * np.float32(number))}


def page_of(key: str, found: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    start, limit = int(query.get("page_token", "0")), int(query["limit"])
    end = start + limit
    return {key: found[start:end], "next_page_token": str(end) if end < len(found) else None}
