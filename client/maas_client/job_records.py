"""What the API tells of jobs, batch predictions and answers that come later, as frozen dataclasses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from maas_client.model_records import UploadPart

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class JobProgress:
    """`rows` and `errors` are of the shards that are done. Rate and ETA are None until they can be told."""

    shards_total: int
    shards_done: int
    shards_failed: int
    rows: int
    errors: int
    rows_per_second: float | None
    eta_seconds: float | None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            shards_total=fields["shards_total"],
            shards_done=fields["shards_done"],
            shards_failed=fields["shards_failed"],
            rows=fields["rows"],
            errors=fields["errors"],
            rows_per_second=fields.get("rows_per_second"),
            eta_seconds=fields.get("eta_seconds"),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """UPLOADING → PLANNING → RUNNING → FINISHING → SUCCEEDED; or FAILED, for the `reason`, or CANCELLED.

    `kind` is "batch", or "infer" for one request that is answered later. `version` is the one that an alias stood for
    when the job was made. `input` and `output` are keys of the system's bucket. `progress` is None in lists, and before
    there are shards.
    """

    id: str
    kind: str
    model: str
    version: int
    status: str
    reason: str | None
    input: str
    output: str
    options: dict[str, Any]
    notify: str | None
    created_at: str
    started_at: str | None
    updated_at: str
    actor: str
    progress: JobProgress | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            id=fields["id"],
            kind=fields["kind"],
            model=fields["model"],
            version=fields["version"],
            status=fields["status"],
            reason=fields.get("reason"),
            input=fields["input"],
            output=fields["output"],
            options=dict(fields.get("options") or {}),
            notify=fields.get("notify"),
            created_at=fields["created_at"],
            started_at=fields.get("started_at"),
            updated_at=fields["updated_at"],
            actor=fields["actor"],
            progress=JobProgress.of(fields["progress"]) if fields.get("progress") else None,
        )

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that waits for its file, and where that goes; without parts, one that reads what is there already."""

    job: Job
    parts: tuple[UploadPart, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(Job.of(fields), UploadPart.all_of(fields.get("upload")))


@dataclass(frozen=True, slots=True)
class JobResult:
    """An object with predictions, or with what is wrong with records. `url` is good for an hour, for whoever has it."""

    name: str
    url: str
    size_bytes: int | None = None
    sha256: str | None = None
    rows: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(fields["name"], fields["url"], fields.get("size_bytes"), fields.get("sha256"), fields.get("rows"))


@dataclass(frozen=True, slots=True)
class JobResults:
    """In the input's order. `header_length` is of a binary answer to an inference: the bytes of its JSON."""

    results: tuple[JobResult, ...]
    header_length: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(tuple(JobResult.of(one) for one in fields["results"]), fields.get("header_length"))


def batch_body(
    model: str,
    version: str | int | None,
    output: str | None,
    notify: str | None,
    **options: str | int | Sequence[str] | None,
) -> dict[str, Any]:
    """A batch as the API takes it: without what is None."""
    given = {
        name: value if isinstance(value, str | int) else list(value)
        for name, value in options.items()
        if value is not None
    }
    wanted = {"version": None if version is None else str(version), "output": output, "notify": notify}
    return {"model": model, "options": given} | {name: value for name, value in wanted.items() if value is not None}
