"""Plans jobs: reads their input, cuts it into shards and queues these. Every step may be repeated."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from maas.aws.s3_reader import S3Reader
from maas.aws.sqs import Queue
from maas.batch import formats, locations
from maas.batch.announcements import Announcements
from maas.batch.formats import Options, Source
from maas.batch.job_end import JobEnd
from maas.batch.locations import Drop
from maas.batch.predicting import row_ms
from maas.batch.s3_source import source_of
from maas.batch.state.job_records import BatchJob, JobStatus, Shard, ShardStatus, shard_name
from maas.batch.state.jobs import Jobs
from maas.errors import Contended, InvalidRequest, MaasError, NotFound, ServiceUnavailable
from maas.records import ModelVersion
from maas.registry import Registry
from maas.times import canonical

ACTOR = "batch"
TEXT, SAMPLE_BYTES = ("jsonl", "csv"), 1 << 16
NO_END = "no attempt finished: the worker ran out of memory or time"
RUNS = (JobStatus.RUNNING, JobStatus.FINISHING)
SHARD_SECONDS = 120.0  # target time of a shard: a repeat loses little, and the start of a shard costs little


@dataclass(frozen=True, slots=True)
class Arrived:
    """The object that an event of S3 names."""

    key: str
    s3_version: str | None
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Planner:
    """`shard_bytes` and `retention_seconds` are those of jobs for dropped objects.

    Beyond `shards_at_once` shards, the first ones are queued while the others are stored. Asynchronous requests have a
    queue of their own, so that the shards of a batch do not delay them.
    """

    registry: Registry
    jobs: Jobs
    reader: S3Reader
    queue: Queue
    async_queue: Queue
    job_end: JobEnd
    announcements: Announcements
    shard_bytes: int
    retention_seconds: int
    shards_at_once: int = 500  # stored in two seconds where DynamoDB takes a thousand units a second

    def arrived(self, arrived: Arrived) -> BatchJob | None:
        """Advance the job whose input or start signal the object is; None if there is none.

        Raises ServiceUnavailable, NotFound.
        """
        named = locations.job_of(arrived.key)
        if named is not None:
            job_id, name = named
            return self._advance(self.jobs.get(job_id) if name == locations.START else self._uploaded(job_id, arrived))
        dropped = locations.drop_of(arrived.key)
        return self._advance(self._dropped(arrived, dropped)) if dropped else None

    def abandon(self, arrived: Arrived, reason: str) -> BatchJob | None:
        """Fail the job of an object that no attempt could plan; None if there is no job. Raises ServiceUnavailable."""
        named, dropped = locations.job_of(arrived.key), locations.drop_of(arrived.key)
        if dropped:
            return self.job_end.fail(self._dropped(arrived, dropped).id, reason)
        try:
            return self.job_end.fail(named[0], reason) if named else None
        except NotFound:
            return None

    def give_up(self, job_id: str, shard_name: str, run: int) -> BatchJob | None:
        """Fail a shard, or a request, after its last delivery, and its job; None if there is no such job.

        A shard that is DONE is settled instead. A message of an earlier run of the job changes nothing.

        Raises ServiceUnavailable, Contended.
        """
        try:
            job = self.jobs.get(job_id)
            shard = self.jobs.shards.get(job_id, shard_name) if shard_name else None
        except NotFound:
            return None
        if shard and shard.status is ShardStatus.DONE and job.status in RUNS:
            return self.job_end.settle(job, shard, self.queue)
        if job.run != run or job.status not in (JobStatus.RUNNING, JobStatus.FAILED):
            return self.announcements.announce(job)
        if shard is None:
            return self.job_end.fail(job_id, NO_END, run)
        reason = shard.reason or NO_END
        self.jobs.shards.set_status(job, shard_name, ShardStatus.FAILED, reason)
        return self.job_end.fail(job_id, f"shard {shard_name} failed at every attempt: {reason}", run)

    def _uploaded(self, job_id: str, arrived: Arrived) -> BatchJob:
        """Move the job that waits for this upload to PLANNING; later versions of the object are ignored."""

        def decide(job: BatchJob) -> BatchJob | None:
            if job.status is not JobStatus.UPLOADING or job.input_key != arrived.key:
                return None
            return replace(
                job,
                status=JobStatus.PLANNING,
                input_s3_version=arrived.s3_version,
                input_bytes=arrived.size_bytes,
            )

        return self.jobs.change(job_id, decide)

    def _dropped(self, arrived: Arrived, dropped: Drop) -> BatchJob:
        """The job of this version of the object: the same one, however often the event arrives."""
        job_id = job_id_of(arrived)
        now = canonical(datetime.now(UTC))
        job = BatchJob(
            id=job_id,
            kind="batch",
            model=dropped.model,
            version=0,
            input_key=arrived.key,
            output=f"{locations.OUTPUT}{job_id}/",
            created_at=now,
            updated_at=now,
            expires_at=int(time.time()) + self.retention_seconds,
            actor=ACTOR,
            status=JobStatus.PLANNING,
            input_s3_version=arrived.s3_version,
            input_bytes=arrived.size_bytes,
            shard_bytes=self.shard_bytes,
        )
        try:
            return self.jobs.create(replace(job, version=self._version_of_drop(job).number))
        except (ServiceUnavailable, Contended):
            raise
        except MaasError as error:  # recorded as a job, so that the user who dropped the file finds the reason
            return self.jobs.create(replace(job, status=JobStatus.FAILED, reason=error.message))

    def _advance(self, job: BatchJob) -> BatchJob:
        """Plan the job if needed, then queue its pending shards."""
        job = self.announcements.announce(job)
        if job.keep_until > job.expires_at:
            job = self.jobs.prolong(job)
        try:
            shards: list[Shard] = []
            if job.status is JobStatus.PLANNING:
                job, shards = self._started(job)
                job = self.announcements.announce(job)
            if job.status is JobStatus.RUNNING:
                job = self._queue(job, shards)
        except (ServiceUnavailable, Contended):
            raise
        except MaasError as error:
            return self.job_end.fail(job.id, error.message)
        except Exception:  # a bug, which a repeat would meet again; raised for the error metric
            self.job_end.fail(job.id, "an internal error; the trace is in the log of the planner function")
            raise
        return job if job.kind == "infer" else self.job_end.finish(job)

    def _started(self, job: BatchJob) -> tuple[BatchJob, list[Shard]]:
        """Move to RUNNING once the first shards are stored; returns the job, and all shards if it was planned now."""
        changes: dict[str, Any] = {"started_at": canonical(datetime.now(UTC)), "run": job.run + 1}
        if job.kind == "infer" or job.format:
            if self.jobs.shards.tally(job.id).failed:
                self.jobs.shards.reset_failed(job)
            return self.jobs.start(job.id, False, **changes), []
        shards, found = self._plan(job)
        self.jobs.shards.add(job, shards[: self.shards_at_once])
        more = len(shards) > self.shards_at_once
        return self.jobs.start(job.id, more, **changes, **found), shards

    def _queue(self, job: BatchJob, shards: list[Shard]) -> BatchJob:
        """Queue what is pending, then store and queue the shards that are not stored yet, some at a time.

        Workers of the first shards run meanwhile. A marker says that more shards follow; a planner that finds it after
        another one died cuts the input again and goes on. Returns the job, as it ended if it did meanwhile.
        """
        if job.kind == "infer":
            self.async_queue.send([job.message("")])
            return job
        self.queue.send(job.message(name) for name in self.jobs.shards.pending(job.id))
        if not self.jobs.is_unplanned(job.id):
            return job
        stored = {shard.name for shard in (shards[: self.shards_at_once] or self.jobs.shards.all(job.id))}
        missing = [shard for shard in shards or self._plan(job)[0] if shard.name not in stored]
        for start in range(0, len(missing), self.shards_at_once):
            current = self.jobs.get(job.id)
            if (current.status, current.run) != (JobStatus.RUNNING, job.run):
                return current
            some = missing[start : start + self.shards_at_once]
            self.jobs.shards.add(job, some)
            self.queue.send(job.message(shard.name) for shard in some)
        self.jobs.end_planning(job.id)
        return job

    def _plan(self, job: BatchJob) -> tuple[list[Shard], Mapping[str, Any]]:
        """The job's shards, and the fields of the job that describe them. Raises MaasError."""
        version = self.registry.resolve(job.model, str(job.version)) if job.version else self._version_of_drop(job)
        format_ = formats.format_of(PurePosixPath(job.input_key).name)
        source = source_of(job, self.reader)
        plan = formats.plan(format_, source, fitting_bytes(format_, source, job.shard_bytes, max_rows(version)))
        formats.reader(
            format_, plan.layout, Options.of(job.options), version.inputs or ()
        )  # refuses a file that cannot fit
        ranges = plan.shards or [(0, 0)]  # a file without records gets a part too, with its header or columns
        shards = [Shard(shard_name(index), start, end) for index, (start, end) in enumerate(ranges)]
        fields = {"version": version.number, "format": format_, "layout": plan.layout, "shards": len(shards)}
        return shards, fields | {"planned": [shards[0].start, shards[-1].end]}

    def _version_of_drop(self, job: BatchJob) -> ModelVersion:
        """The version that a dropped object's key names. Raises InvalidRequest, NotFound, Gone, NotReady."""
        dropped = locations.drop_of(job.input_key)
        if dropped is None or not dropped.reference:
            expected = f"{locations.EXPECTED_DROP}: the key names no version"
            raise InvalidRequest(f"input: got {job.input_key}, expected {expected}", field="input")
        return self.registry.resolve(dropped.model, dropped.reference)


def job_id_of(dropped: Arrived) -> str:
    """The same for every event of this object version."""
    identity = f"{dropped.key}\0{dropped.s3_version or dropped.etag}"
    return hashlib.sha256(identity.encode()).hexdigest()[:20]


def fitting_bytes(format_: str, source: Source, shard_bytes: int, rows: int) -> int:
    """`shard_bytes`, or less where that many hold more than `rows` records of the size of the first ones."""
    if format_.startswith(TEXT):
        head = source.read(0, SAMPLE_BYTES)
        row_bytes = len(head) / max(1, head.count(b"\n"))
    else:
        shards = formats.plan(format_, source, source.size_bytes).shards
        row_bytes = source.size_bytes / (shards[-1][1] if shards else 1)
    return max(1, min(shard_bytes, int(rows * row_bytes)))


def max_rows(version: ModelVersion) -> int:
    """How many records fit into SHARD_SECONDS, by the version's profile."""
    return max(1, int(SHARD_SECONDS * 1000 / max(row_ms(version) or 1.0, 0.001)))
