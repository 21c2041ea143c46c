"""Inference that is answered later, without I/O: what is asked of the server, and what is sent where."""

import json
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maas_client import download
from maas_client.calls import Answer, Body, Call, Flow, inference_path, json_body, path_of
from maas_client.errors import InvalidInput, InvalidResponse, MaasError
from maas_client.inference import HEADER_LENGTH, read_response
from maas_client.job_records import Job, JobResults, NewJob
from maas_client.model_records import InferenceResponse, ModelFile, Upload
from maas_client.upload import LocalFile, declare, send

INLINE_BYTES = 4_000_000  # of a body that goes with the call: Lambda takes 6 MB, of base64
NAME = "request"


def submit(model: str, version: str | int | None, body: Body, notify: str | None) -> Flow[Job]:
    """Not safe to send twice: each would be a job of its own."""
    headers = {"prefer": "respond-async"} | ({"maas-notify": notify} if notify else {})
    path = inference_path(model, version, "infer")
    answer = yield Call("POST", path, body=lambda _: body, headers=headers)
    if answer.status != 202:
        raise InvalidResponse(f"HTTP {answer.status} to a request for an answer later: the server knows no such thing")
    return (yield from job(_fields(answer)["id"]))


def reserve(model: str, version: str | int | None, body: Body, file: ModelFile, notify: str | None) -> Flow[NewJob]:
    """For a body that is uploaded, beyond what a call can carry."""
    wanted: dict[str, Any] = {"model": model, "kind": "infer", "upload": asdict(file)}
    length = body.headers.get(HEADER_LENGTH)
    if version is not None:
        wanted["version"] = str(version)
    if length is not None:
        wanted["header_length"] = int(length)
    if notify is not None:
        wanted["notify"] = notify
    content, headers = json_body(wanted), {"idempotency-key": uuid.uuid4().hex}
    answer = yield Call("POST", path_of("api", "v1", "jobs"), body=lambda _: content, headers=headers, safe=True)
    return NewJob.of(_fields(answer))


@contextmanager
def spooled(body: Body) -> Iterator[tuple[LocalFile, ModelFile]]:
    """The body as a file, which is what is uploaded."""
    with tempfile.TemporaryDirectory(prefix="maas-") as folder:
        path = Path(folder, NAME)
        path.write_bytes(body.content)
        file = LocalFile(path, NAME, len(body.content))
        (declared,) = declare([file], None)
        yield file, declared


def upload(new: NewJob, file: LocalFile) -> None:
    """Blocks. Raises UploadFailed."""
    send([Upload(NAME, new.parts)], [file], None)


def complete(job_id: str) -> Flow[Job]:
    return Job.of(_fields((yield Call("POST", path_of("api", "v1", "jobs", job_id, "complete"), safe=True))))


def cancel(job_id: str) -> Flow[None]:
    """Of a job whose request cannot be sent; whatever comes of it."""
    with suppress(MaasError):
        yield Call("DELETE", path_of("api", "v1", "jobs", job_id), safe=True)


def job(job_id: str) -> Flow[Job]:
    return Job.of(_fields((yield Call("GET", path_of("api", "v1", "jobs", job_id), safe=True))))


def results(found: Job) -> Flow[JobResults]:
    """Where the answer is. Raises InvalidInput for a job of another kind."""
    if found.kind != "infer":
        raise InvalidInput(
            f"job {found.id} is a batch: `download_results`, or `maas job download`, gets its predictions"
        )
    path = path_of("api", "v1", "jobs", found.id, "results")
    return JobResults.of(_fields((yield Call("GET", path, safe=True))))


def response(found: JobResults) -> InferenceResponse:
    """Blocks. Raises DownloadFailed, InvalidResponse."""
    (one,) = found.results
    headers = {} if found.header_length is None else {HEADER_LENGTH: str(found.header_length)}
    return read_response(Answer(200, headers, download.content(one.url, one.name)))


def _fields(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.content)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise InvalidResponse(f"HTTP {answer.status} with what is no JSON object")
    return said
