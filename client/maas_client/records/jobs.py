"""Jobs, batches and deferred inferences, as frozen dataclasses."""

from dataclasses import dataclass, field
from typing import Any

from maas_client.records.transfers import UploadPart

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobShadow:
    """Of `compared` records, which the job's version answered, `mismatched` are not the same on the shadow, `failed` of
    these for want of outputs, one for the `reason`. `largest_difference` is at most twice the largest one, None if an
    output had no counterpart.

    >>> job = maas.batch("digits", "rows.jsonl", "1", shadow={"version": 2}, wait=True)
    >>> job.progress.shadow.compared, job.progress.shadow.mismatched
    (3, 3)
    """

    compared: int
    mismatched: int
    failed: int
    largest_difference: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """`rows` and `errors` count finished shards, `gb_seconds` their billed time by memory, `usd` what Lambda charges
    for it, None if the server knows no prices. Rate and remaining time are None until they are known. `shadow` is None
    for a job without one.

    >>> job = maas.batch("digits", "rows.jsonl", wait=True)
    >>> job.progress.shards_done, job.progress.rows, job.progress.errors
    (2, 3, 0)
    """

    shards_total: int
    shards_done: int
    shards_failed: int
    rows: int
    errors: int
    rows_per_second: float | None = None
    eta_seconds: float | None = None
    gb_seconds: float = 0.0
    usd: float | None = None
    shadow: JobShadow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """UPLOADING → PLANNING → RUNNING → FINISHING → SUCCEEDED; or FAILED, for the `reason`, or CANCELLED.

    `kind` is "batch", or "infer" for a deferred inference. `version` is the one that an alias pointed to when the job
    was created. `input` and `output` are keys of the system's bucket. `progress` is None in lists, and before the
    input is split into shards. `shadow` is the version that its records also run on, and how outputs are compared.

    >>> job = maas.batch("digits", "rows.jsonl", "production")
    >>> job.kind, job.version, job.status, job.has_ended
    ('batch', 1, 'PLANNING', False)
    """

    id: str
    kind: str
    model: str
    version: int
    status: str
    reason: str | None = None
    input: str
    output: str
    options: dict[str, Any] = field(default_factory=dict)
    notify: str | None = None
    shadow: dict[str, Any] | None = None
    created_at: str
    started_at: str | None = None
    updated_at: str
    actor: str
    progress: JobProgress | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the job is SUCCEEDED, FAILED or CANCELLED."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job, and where to upload its file; no parts if it reads an object of the bucket."""

    job: Job
    parts: tuple[UploadPart, ...]


@dataclass(frozen=True, slots=True)
class JobResult:
    """A part of a job's output or errors. Anyone with `url` can download it, for an hour.

    >>> job = maas.batch("digits", "rows.jsonl", wait=True)
    >>> maas.jobs.results(job.id).results[0].name
    'part-00000.jsonl'
    """

    name: str
    url: str
    size_bytes: int | None = None
    sha256: str | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class JobResults:
    """Parts in the order of the input. `header_length` is the length of the JSON in a binary deferred answer.

    >>> job = maas.batch("digits", "rows.jsonl", wait=True)
    >>> len(maas.jobs.results(job.id).results)
    2
    """

    results: tuple[JobResult, ...]
    header_length: int | None = None
