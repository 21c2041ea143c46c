"""Submits jobs: creates them, uploads their file, completes them; cancels them if that fails."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maas_client._async import uploads
from maas_client._async.backend import in_thread, sleep
from maas_client._async.transport import AsyncTransport
from maas_client.arguments import path
from maas_client.calls import api_path
from maas_client.errors import CannotConnect, InvalidResponse, MaasError, ServerFailed
from maas_client.files import LocalFile, declare, records_file
from maas_client.reading import field_of, read
from maas_client.records.jobs import Job, NewJob
from maas_client.records.transfers import Progress, Upload, UploadPart
from maas_client.results import format_of
from maas_client.retries import backoff_seconds

COMPLETE_ROUNDS = 3  # of a call's attempts


async def batch(
    transport: AsyncTransport,
    body: dict[str, Any],
    source: str | Path,
    progress: Callable[[Progress | Job], None] | None,
) -> Job:
    """The job of a file here or in the bucket. Raises InvalidInput, UploadFailed."""
    file = path("source", source)
    format_of(str(source))
    if str(source).startswith("s3://"):
        return (await create(transport, body | {"input": str(source)})).job
    return await upload(transport, body, await in_thread(records_file, file), progress)


async def create(transport: AsyncTransport, body: dict[str, Any]) -> NewJob:
    answer = await transport.call("POST", api_path("jobs"), body, creating=True)
    return NewJob(read(Job, answer), field_of(answer, "upload", tuple[UploadPart, ...]))


async def upload(
    transport: AsyncTransport,
    body: dict[str, Any],
    file: LocalFile,
    progress: Callable[[Progress | Job], None] | None = None,
    deadline: float | None = None,
) -> Job:
    """The job of this file. Raises InvalidInput, UploadFailed; NoAnswerInTime at the deadline of the upload."""
    (declared,) = await in_thread(declare, [file], progress)
    new = await create(transport, body | {"upload": asdict(declared)})
    try:
        await uploads.send([Upload(file.name, new.parts)], [file], progress, deadline)
        return await _complete(transport, new.job.id)
    except (ServerFailed, CannotConnect, InvalidResponse):  # the file is uploaded: the job may run anyway
        raise
    except BaseException:
        with suppress(MaasError):  # else the job would wait for its file for ever
            await transport.call("DELETE", api_path("jobs", new.job.id), repeatable=True)
        raise


async def _complete(transport: AsyncTransport, job_id: str) -> Job:
    """Retries longer than other calls: S3 may take minutes to join the parts of a large file."""
    path = api_path("jobs", job_id, "complete")
    for attempt in range(1, COMPLETE_ROUNDS):
        with suppress(ServerFailed, CannotConnect):
            return read(Job, await transport.call("POST", path, repeatable=True))
        await sleep(backoff_seconds(attempt))
    return read(Job, await transport.call("POST", path, repeatable=True))
