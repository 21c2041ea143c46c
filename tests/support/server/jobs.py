"""The contract of jobs, kept in memory. Its batches multiply as its inferences do.

It reads JSONL, CSV and NPY, in shards of rows. A file that begins with b"bad" makes its job FAILED; a record of JSONL
that is none is an error record.
"""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np

NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:04:15.500000Z"
RESPONSE = "response"
Parts = dict[str, bytes]


class Refusal(Exception):
    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        self.status, self.body = status, {"error": message} | ({"field": field} if field else {})


class ContractJobs:
    """`predicted`, if set, are the parts that the next jobs have, each with its rows. `holds` stops jobs in RUNNING."""

    url: str
    parts: dict[str, dict[int, bytes]]
    resolve: Callable[[str, str | None], int]
    infer: Callable[[str, str | None, bytes, int | None], tuple[bytes, int | None]]
    _upload: Callable[[str, dict[str, Any]], dict[str, Any]]
    shard_rows = 2
    holds = False

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.shards: dict[str, list[tuple[int, Parts]]] = {}
        self.headers_of: dict[str, int | None] = {}
        self.predicted: list[tuple[int, Parts]] | None = None

    def create_job(self, body: dict[str, Any], key: str | None) -> dict[str, Any]:
        job_id = hashlib.sha256((key or str(len(self.jobs))).encode()).hexdigest()[:20]
        uploaded = f"batch/jobs/{job_id}/{body['upload']['name']}" if "upload" in body else ""
        if job_id not in self.jobs:
            number = self.resolve(body["model"], body.get("version"))
            self.jobs[job_id] = {
                "id": job_id,
                "kind": body.get("kind", "batch"),
                "model": body["model"],
                "version": number,
                "status": "UPLOADING" if uploaded else "PLANNING",
                "reason": None,
                "input": uploaded or body["input"].removeprefix("s3://maas/"),
                "output": (body.get("output") or f"s3://maas/batch/output/{job_id}/").removeprefix("s3://maas/"),
                "options": body.get("options", {}),
                "notify": body.get("notify"),
                "shadow": body.get("shadow"),
                "created_at": NOW,
                "started_at": None,
                "updated_at": NOW,
                "actor": "anonymous",
                "progress": None,
                "header_length": body.get("header_length"),
                "sha256": body["upload"]["sha256"] if uploaded else None,
            }
        upload = self._upload(f"/bucket/{uploaded}", body["upload"])["parts"] if uploaded else []
        return self.jobs[job_id] | {"upload": upload}

    def infer_later(self, model: str, reference: str | None, body: bytes, header_length: int | None) -> dict[str, Any]:
        declared = {"name": "request", "size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        wanted = {"model": model, "version": reference, "kind": "infer", "upload": declared}
        job = self.create_job(wanted | {"header_length": header_length}, None)
        self.parts[f"/bucket/{job['input']}"][0] = body
        self.complete_job(job["id"])
        return {"id": job["id"], "status": "UPLOADING", "location": f"/api/v1/jobs/{job['id']}"}

    def find(self, job_id: str) -> dict[str, Any]:
        if job_id not in self.jobs:
            raise Refusal(404, f"there is no job '{job_id}'")
        return self.jobs[job_id]

    def content(self, key: str) -> bytes:
        return b"".join(data for _, data in sorted(self.parts[f"/bucket/{key}"].items()))

    def complete_job(self, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        if hashlib.sha256(self.content(job["input"])).hexdigest() != job["sha256"]:
            raise Refusal(409, f"the upload of job '{job_id}' is not complete", "upload")
        job["status"] = "PLANNING"
        return job

    def look_at_job(self, job_id: str) -> dict[str, Any]:
        """Each look finds it one step on."""
        job = self.find(job_id)
        match job["status"]:
            case "PLANNING":
                self._plan(job)
            case "RUNNING" if not self.holds:
                self._run(job)
            case "FINISHING":
                job["status"] = "SUCCEEDED"
        return job

    def _plan(self, job: dict[str, Any]) -> None:
        content = self.content(job["input"])
        if content.startswith(b"bad"):
            job |= {"status": "FAILED", "reason": "input: got no file of its format", "updated_at": LATER}
            return
        job |= {"status": "RUNNING", "started_at": NOW}
        if job["kind"] == "infer":
            answer, self.headers_of[job["id"]] = self.infer(
                job["model"], str(job["version"]), content, job["header_length"]
            )
            self.shards[job["id"]] = [(0, {RESPONSE: answer})]
            return
        predicted = self.predicted
        if predicted is None:
            predicted = _predicted(job["input"], content, job["version"], self.shard_rows)
        self.shards[job["id"]] = predicted
        job["progress"] = {
            "shards_total": len(predicted),
            "shards_done": 0,
            "shards_failed": 0,
            "rows": 0,
            "errors": 0,
            "rows_per_second": None,
            "eta_seconds": None,
            "shadow": {"compared": 0, "mismatched": 0, "failed": 0, "largest_difference": 0.0, "reason": None},
        }
        if not job["shadow"]:
            del job["progress"]["shadow"]

    def _run(self, job: dict[str, Any]) -> None:
        progress, shards = job["progress"], self.shards[job["id"]]
        if progress:
            for rows, parts in shards[progress["shards_done"] :][: max(2, len(shards) // 2)]:
                progress["shards_done"] += 1
                progress["rows"] += rows
                progress["errors"] += sum(content.count(b'"error"') for content in parts.values())
            if job["shadow"]:
                good = progress["rows"] - progress["errors"]
                progress["shadow"] |= {"compared": good, "mismatched": good, "largest_difference": 4.0}
            progress |= {"rows_per_second": 1000.0, "eta_seconds": 1.5}
        if not progress or progress["shards_done"] == len(shards):
            job |= {"status": "FINISHING", "updated_at": LATER}

    def cancel_job(self, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        if job["status"] in ("SUCCEEDED", "FAILED", "FINISHING"):
            raise Refusal(409, f"job '{job_id}' is {job['status']}, so there is nothing to cancel")
        job["status"] = "CANCELLED"
        return job

    def retry_job(self, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        if job["status"] != "FAILED":
            raise Refusal(409, f"job '{job_id}' is {job['status']}: only one that FAILED is tried again")
        job |= {"status": "PLANNING", "reason": None}
        return job

    def job_results(self, job_id: str, query: dict[str, str]) -> dict[str, Any]:
        job = self.find(job_id)
        if job["kind"] == "infer":
            url = self._stored(job, RESPONSE, self.shards[job_id][0][1][RESPONSE])
            answer = {"name": RESPONSE, "url": url}
            return {"results": [answer], "header_length": self.headers_of[job_id], "next_page_token": None}
        done = job["progress"]["shards_done"] if job["progress"] else 0
        found = []
        shards = list(enumerate(self.shards.get(job_id, [])[:done]))
        start = int(query.get("page_token", 0))
        end = start + int(query["limit"])
        for index, (rows, parts) in shards[start:end]:
            for suffix, content in sorted(parts.items()):
                name = suffix if suffix.startswith("part-") else f"part-{index:05d}.{suffix}"
                digest = hashlib.sha256(content).hexdigest()
                one = {"name": name, "url": self._stored(job, name, content), "size_bytes": len(content)}
                found.append(one | {"sha256": digest, "rows": rows})
        return {"results": found, "header_length": None, "next_page_token": str(end) if end < len(shards) else None}

    def _stored(self, job: dict[str, Any], name: str, content: bytes) -> str:
        self.parts[f"/bucket/{job['output']}{name}"] = {0: content}
        return f"{self.url}/bucket/{job['output']}{name}?X-Amz-Signature=a%2Fb%3D"


def _predicted(name: str, content: bytes, number: int, shard_rows: int) -> list[tuple[int, Parts]]:
    if name.endswith(".npy"):
        array = np.load(io.BytesIO(content)) * np.float32(number)
        return [(len(some), {"y.npy": npy(some)}) for some in _pieces(array, shard_rows)]
    lines = content.decode().splitlines()
    if name.endswith(".csv"):
        rows = [[float(value) * number for value in line.split(",")] for line in lines[1:]]
        texts = [f"{first},{second}" for first, second in rows]
        return [(len(some), {"csv": "\n".join(["y_0,y_1", *some, ""]).encode()}) for some in _pieces(texts, shard_rows)]
    records = [json.dumps(_record(line, number)) + "\n" for line in lines]
    return [(len(some), {"jsonl": "".join(some).encode()}) for some in _pieces(records, shard_rows)]


def _record(line: str, number: int) -> dict[str, Any]:
    try:
        return {"y": [value * number for value in json.loads(line)["x"]]}
    except (ValueError, KeyError) as error:
        return {"error": repr(error), "record": line}


def _pieces(rows: Any, size: int) -> list[Any]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
