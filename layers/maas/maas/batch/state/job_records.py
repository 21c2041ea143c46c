"""Records of batch jobs and their shards, as the table keeps them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Self

from maas.metrics.counts import two_to
from maas.records import ModelFile
from maas.records.rows import Row, known
from maas.records.samples import Shadow

Kind = Literal["batch", "infer"]


class JobStatus(StrEnum):
    """UPLOADING → PLANNING → RUNNING → FINISHING → SUCCEEDED; FAILED or CANCELLED from any status before FINISHING."""

    UPLOADING = "UPLOADING"
    PLANNING = "PLANNING"
    RUNNING = "RUNNING"
    FINISHING = "FINISHING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


OPEN = (JobStatus.UPLOADING, JobStatus.PLANNING, JobStatus.RUNNING)  # may still fail or be cancelled
ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class ShardStatus(StrEnum):
    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class BatchJob(Row):
    """`version` is pinned when the job is created. `kind` is "batch", or "infer" for one request answered later.

    `input_s3_version` is the version of the input object, once it is there. The planner sets `format`, `layout` and
    `planned`, the range [start, end) of all shards together, empty without shards, and `shards`, their number before
    any was split; `shard_bytes` is the size it cuts by. `run` counts starts. `announced` is the last status that was
    published, `request_digest` identifies the call that created the job. `keep_until` is the later `expires_at` that a
    retry asks for, until the planner has prolonged all rows. `shadow` is another version that runs on all records too.
    """

    id: str
    kind: Kind
    model: str
    version: int
    input_key: str
    output: str
    created_at: str
    updated_at: str
    expires_at: int
    actor: str
    status: JobStatus
    revision: int = 1
    input_s3_version: str | None = None
    input_bytes: int = 0
    shard_bytes: int = 0
    format: str = ""
    layout: dict[str, Any] = field(default_factory=dict)
    planned: list[int] = field(default_factory=list)
    shards: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    notify: str | None = None
    started_at: str | None = None
    run: int = 0
    keep_until: int = 0
    reason: str | None = None
    announced: str = ""
    request_digest: str = ""
    shadow: Shadow | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        shadow = Shadow.of(item["shadow"]) if item.get("shadow") else None
        return cls(**(known(cls, item) | {"status": JobStatus(item["status"]), "shadow": shadow}))

    @property
    def mark(self) -> str:
        """Identifies the job in the metadata of its objects. A later job of the same id has another mark."""
        return f"{self.id}/{self.created_at}"

    def message(self, shard_name: str) -> dict[str, Any]:
        """The queue's message for a shard; `shard_name` is empty for the one request of an `infer` job."""
        return {"job": self.id, "shard": shard_name, "run": self.run}


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job to create, with either `input`, the location of an object, or `upload`, a file to be uploaded.

    `options` as in `BatchJob`; `header_length` is the length of the JSON in a binary request of kind "infer", in bytes.
    """

    kind: Kind = "batch"
    input: str | None = None
    upload: ModelFile | None = None
    header_length: int | None = None
    output: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    notify: str | None = None
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """An object of a job's output and a URL to download it; size, digest and rows where known."""

    name: str
    url: str
    size_bytes: int | None = None
    sha256: str | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Part(Row):
    """An object with a shard's predictions, or its errors."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Shadowed(Row):
    """How a job's shadow did on records that the job's version answered: of `compared` ones `mismatched` are not the
    same, `failed` of these for want of outputs; `reason` says why the first one failed.

    The largest difference is below two to the `power`; None if there is none.
    """

    compared: int = 0
    mismatched: int = 0
    failed: int = 0
    power: int | None = None
    reason: str | None = None

    def shown(self) -> dict[str, Any]:
        """For people: `largest_difference` is at most twice the largest one, None if an output had no counterpart."""
        largest = two_to(self.power)
        counts = {"compared": self.compared, "mismatched": self.mismatched, "failed": self.failed}
        return counts | {"largest_difference": largest if math.isfinite(largest) else None, "reason": self.reason}

    @classmethod
    def sum(cls, some: Iterable["Shadowed"]) -> Self:
        """Of all, with the first reason."""
        found = list(some)
        return cls(
            sum(one.compared for one in found),
            sum(one.mismatched for one in found),
            sum(one.failed for one in found),
            max((one.power for one in found if one.power is not None), default=None),
            next((one.reason for one in found if one.reason), None),
        )


@dataclass(frozen=True, slots=True)
class Shard(Row):
    """The range [start, end) of the input, in bytes or rows as the format counts. Names sort in the input's order.

    `agreed_end` is where its part ends, set by the first delivery that gets there; `rest` names the shards made of the
    range after it. `reason` says why the last attempt failed; of a DONE shard, why its first bad record did. `mb_ms` is
    the time that the delivery which ended it took, in milliseconds by MB of the function. `shadow` is that of a DONE
    shard whose job has a shadow.
    """

    name: str
    start: int
    end: int
    status: ShardStatus = ShardStatus.PENDING
    agreed_end: int | None = None
    parts: tuple[Part, ...] = ()
    rest: tuple[str, ...] = ()
    rows: int = 0
    errors: int = 0
    updated_at: str = ""
    revision: int = 1
    reason: str | None = None
    expires_at: int = 0
    mb_ms: int = 0
    shadow: Shadowed | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        made = {
            "status": ShardStatus(item["status"]),
            "parts": tuple(map(Part.of, item["parts"])),
            "rest": tuple(item["rest"]),
            "shadow": Shadowed.of(item["shadow"]) if item.get("shadow") else None,
        }
        return cls(**(known(cls, item) | made))

    def piece(self, index: int, start: int, end: int) -> "Shard":
        """A shard of this one's rest. Its name sorts after this one's and before the next one's.

        The names of their parts sort alike, because "_" sorts after the "." that begins a suffix.
        """
        return Shard(f"{self.name}_{index:02d}", start, end, expires_at=self.expires_at)


def shard_name(index: int) -> str:
    return f"{index:05d}" if index < 100_000 else f"x{index:09d}"  # sorts after all names of five digits
