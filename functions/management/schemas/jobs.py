"""Schemas of jobs: answers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel

from maas.aws.s3 import UploadPart
from maas.batch.state import job_records
from maas.batch.state.job_records import BatchJob, JobStatus
from maas.batch.state.tallies import Tally
from maas.metrics.prices import MB_MS_PER_GB_SECOND, Prices
from schemas.samples import JobShadow
from schemas.shared import EXAMPLE_TIME, Part, like

_JOB = {
    "id": "0123456789abcdef0123",
    "kind": "batch",
    "model": "digits",
    "version": 1,
    "status": "RUNNING",
    "reason": None,
    "input": "batch/data/images.npy",
    "output": "batch/output/0123456789abcdef0123/",
    "options": {},
    "notify": None,
    "shadow": None,
    "created_at": EXAMPLE_TIME,
    "started_at": EXAMPLE_TIME,
    "updated_at": EXAMPLE_TIME,
    "actor": "arn:aws:iam::123456789012:user/ann",
    "progress": {
        "shards_total": 8,
        "shards_done": 2,
        "shards_failed": 0,
        "rows": 250000,
        "errors": 3,
        "rows_per_second": 12500.0,
        "eta_seconds": 60.0,
        "gb_seconds": 58.8,
        "usd": 0.00098,
        "shadow": None,
    },
}


class ShadowProgress(BaseModel):
    """Of `compared` records, which the job's version answered, `mismatched` are not the same on the shadow, `failed` of
    these for want of outputs, one for the `reason`. `largest_difference` is at most twice the largest one; null if an
    output had no counterpart."""

    compared: int
    mismatched: int
    failed: int
    largest_difference: float | None
    reason: str | None


class Progress(BaseModel):
    """`rows_per_second` and `eta_seconds` are null until they can be estimated. `gb_seconds` is the billed time of the
    finished shards by memory, `usd` what Lambda charges for it, null for a region without known prices."""

    shards_total: int
    shards_done: int
    shards_failed: int
    rows: int
    errors: int
    rows_per_second: float | None
    eta_seconds: float | None
    gb_seconds: float
    usd: float | None
    shadow: ShadowProgress | None


_MADE = ("input", "progress", "shadow")


class Job(BaseModel):
    """`progress` is null in lists, and until the job has shards."""

    model_config = like(**_JOB)

    id: str
    kind: str
    model: str
    version: int
    status: JobStatus
    reason: str | None
    input: str
    output: str
    options: dict[str, Any]
    notify: str | None
    shadow: JobShadow | None
    created_at: str
    started_at: str | None
    updated_at: str
    actor: str
    progress: Progress | None

    @classmethod
    def of(cls, job: BatchJob, tally: Tally | None = None, prices: Prices | None = None, **more: object) -> Self:
        plain = {name: getattr(job, name) for name in Job.model_fields if name not in _MADE}
        progress = _progress(job, tally, prices) if tally and job.planned else None
        shadow = JobShadow.of(job.shadow) if job.shadow else None
        return cls.model_validate(plain | {"input": job.input_key, "progress": progress, "shadow": shadow} | more)


class CreatedJob(Job):
    """`upload` lists the requests that upload the file; with several parts, call …/complete afterwards."""

    model_config = like(**_JOB | {"status": "PLANNING", "progress": None, "upload": []})

    upload: list[Part]

    @classmethod
    def with_upload(cls, job: BatchJob, parts: Sequence[UploadPart]) -> Self:
        listed = [
            Part(url=one.url, method=one.method, headers=one.headers, offset=one.offset, size_bytes=one.size_bytes)
            for one in parts
        ]
        return cls.of(job, upload=listed)


class Jobs(BaseModel):
    model_config = like(jobs=[_JOB | {"progress": None}], next_page_token=None)

    jobs: list[Job]
    next_page_token: str | None


_RESULT = {
    "name": "part-00000.label.npy",
    "url": "https://BUCKET.s3.amazonaws.com/batch/output/0123456789abcdef0123/part-00000.label.npy?X-Amz-Signature=...",
    "size_bytes": 800128,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "rows": 100000,
}


class JobResult(BaseModel):
    name: str
    url: str
    size_bytes: int | None = None
    sha256: str | None = None
    rows: int | None = None

    @classmethod
    def of(cls, result: job_records.JobResult) -> Self:
        return cls.model_validate(asdict(result))


class JobResults(BaseModel):
    """In the input's order. `header_length`: bytes of JSON at the start of an `infer` job's binary response."""

    model_config = like(results=[_RESULT], header_length=None, next_page_token=None)

    results: list[JobResult]
    header_length: int | None
    next_page_token: str | None


def _progress(job: BatchJob, tally: Tally, prices: Prices | None) -> Progress:
    began = datetime.fromisoformat(job.started_at or job.created_at)
    seconds = (datetime.fromisoformat(tally.updated_at) - began).total_seconds() if tally.updated_at else 0.0
    width = job.planned[1] - job.planned[0]
    running = job.status is JobStatus.RUNNING and tally.width and width > tally.width
    elapsed = (datetime.now(UTC) - began).total_seconds()
    return Progress(
        shards_total=job.shards + tally.split,
        shards_done=tally.done,
        shards_failed=tally.failed,
        rows=tally.rows,
        errors=tally.errors,
        rows_per_second=round(tally.rows / seconds, 1) if seconds > 0 else None,
        eta_seconds=round(elapsed * (width - tally.width) / tally.width, 1) if running else None,
        gb_seconds=round(tally.mb_ms / MB_MS_PER_GB_SECOND, 3),
        usd=float(f"{prices.of_shards(tally.mb_ms, tally.done):.6g}") if prices else None,
        shadow=ShadowProgress.model_validate(tally.shadow.shown()) if job.shadow else None,
    )
