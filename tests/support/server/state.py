"""The contract of both APIs, kept in memory: what `contract_server` answers.

Its models multiply: output `y` is input `x` times the version's number. A file that begins with b"bad" ends FAILED.
"""

import hashlib
from typing import Any

from support.server.jobs import ContractJobs, Refusal

NOW = "2026-01-02T03:04:05Z"
SIGNATURE = {
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
}


class ContractState(ContractJobs):
    part_bytes = 64 << 20
    looks_until_ready = 2
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, int], dict[str, Any]] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.signature = SIGNATURE

    def model_json(self, name: str) -> dict[str, Any]:
        if name not in self.models:
            raise Refusal(404, f"there is no model '{name}'")
        ready = [number for (of, number), one in self.versions.items() if of == name and one["status"] == "READY"]
        return self.models[name] | {
            "latest_ready_version": max(ready, default=None),
            "status": "READY" if ready else "EMPTY",
        }

    def version_json(self, name: str, number: int) -> dict[str, Any]:
        self.model_json(name)
        if (name, number) not in self.versions:
            raise Refusal(404, f"there is no version '{number}' of model '{name}'")
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
        unknown = {"status_reason": None, "inputs": None, "outputs": None, "profile": None}
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
        version["status"], version["looks"] = "VALIDATING", self.looks_until_ready
        return self.version_json(name, number)

    def look(self, name: str, number: int) -> dict[str, Any]:
        version = self.versions.get((name, number), {})
        if version.get("status") == "VALIDATING":
            version["looks"] -= 1
            if version["looks"] <= 0 and self.stored(name, number, version["files"][0]["name"]).startswith(b"bad"):
                version |= {"status": "FAILED", "status_reason": "model.onnx is not an ONNX file"}
            elif version["looks"] <= 0:
                version |= {"status": "READY", "profile": {"load_ms": 1.5}} | self.signature
        return self.version_json(name, number)

    def list_models(self, query: dict[str, str]) -> dict[str, Any]:
        return _page("models", [self.model_json(name) for name in sorted(self.models)], query)

    def list_versions(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        numbers = sorted((number for of, number in self.versions if of == name), reverse=True)
        return _page("versions", [self.version_json(name, number) for number in numbers], query)

    def list_jobs(self, query: dict[str, str]) -> dict[str, Any]:
        newest_first = [job | {"progress": None} for job in reversed(self.jobs.values())]
        return _page("jobs", newest_first, query)

    def list_aliases(self, name: str) -> dict[str, Any]:
        return {"aliases": [self.alias_json(name, alias) for alias in self.model_json(name)["aliases"]]}

    def delete_alias(self, name: str, alias: str) -> None:
        self.alias_json(name, alias)
        del self.models[name]["aliases"][alias]

    def alias_json(self, name: str, alias: str) -> dict[str, Any]:
        if alias not in self.model_json(name)["aliases"]:
            raise Refusal(404, f"there is no alias '{alias}' of model '{name}'")
        return {"alias": alias, "model": name, "version": self.models[name]["aliases"][alias], "updated_at": NOW}

    def put_alias(self, name: str, alias: str, number: int) -> dict[str, Any]:
        if self.version_json(name, number)["status"] != "READY":
            raise Refusal(409, f"version {number} of model '{name}' is not READY")
        self.models[name]["aliases"][alias] = number
        return self.alias_json(name, alias)

    def resolve(self, name: str, reference: str | None) -> int:
        found = self.model_json(name)
        number = found["latest_ready_version"] if reference is None else found["aliases"].get(reference, reference)
        if not str(number).isdigit():
            raise Refusal(404, f"there is no version '{reference}' of model '{name}'")
        return int(self.version_json(name, int(number))["version"])

    def metadata(self, name: str, reference: str | None) -> dict[str, Any]:
        return {
            "name": name,
            "versions": [str(self.resolve(name, reference))],
            "platform": "onnx_onnxv1",
        } | self.signature

    def infer(self, name: str, reference: str | None, request: dict[str, Any]) -> dict[str, Any]:
        number = self.resolve(name, reference)
        (tensor,) = request["inputs"]
        if tensor["name"] != "x" or tensor["datatype"] != "FP32" or tensor["shape"][1:] != [2]:
            raise Refusal(400, "inputs[x].shape: not what the model takes", "inputs[x].shape")
        output = {"name": "y", "datatype": "FP32", "shape": tensor["shape"]}
        output["data"] = [value * number for value in tensor["data"]]
        return {"model_name": name, "model_version": str(number), "outputs": [output]}


def _page(key: str, found: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    start, limit = int(query.get("page_token", "0")), int(query["limit"])
    end = start + limit
    return {key: found[start:end], "next_page_token": str(end) if end < len(found) else None}
