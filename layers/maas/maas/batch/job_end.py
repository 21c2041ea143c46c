"""What a job leaves in the bucket: parts, each written once; then the manifest; then `_SUCCESS`."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from maas.aws.s3 import Kept, ModelBucket
from maas.aws.sqs import Queue
from maas.batch.announcements import Announcements
from maas.batch.job_records import OPEN, BatchJob, JobStatus, Part, Shard, ShardStatus
from maas.batch.jobs import Jobs
from maas.batch.locations import MANIFEST, SUCCESS
from maas.errors import Conflict, NotFound

MARK = "maas-job"  # in an object's metadata: whose it is
LOOKS_AFTER_SECONDS = (0.0, 0.5, 2.0)  # a query may see a shard's end and not yet its rest, though one write makes both


class Results:
    def __init__(self, jobs: Jobs, bucket: ModelBucket, announcements: Announcements) -> None:
        self._jobs, self._bucket, self._announcements = jobs, bucket, announcements

    def announce(self, job: BatchJob) -> BatchJob:
        """See `Announcements.tell`."""
        return self._announcements.tell(job)

    def write_parts(self, job: BatchJob, shard: Shard, files: Mapping[str, bytes]) -> tuple[Part, ...]:
        """The shard's parts as they stand in the bucket: these, by suffix, unless another delivery wrote them first.

        Raises ServiceUnavailable, Conflict if one of them is another job's.
        """
        return tuple(self._part(job, f"part-{shard.name}.{suffix}", files[suffix]) for suffix in sorted(files))

    def _part(self, job: BatchJob, name: str, body: bytes) -> Part:
        kept = self.write_once(job, name, body).body
        return Part(job.output + name, len(kept), hashlib.sha256(kept).hexdigest())

    def write_once(self, job: BatchJob, name: str, body: bytes, metadata: Mapping[str, str] | None = None) -> Kept:
        """What the job has under the name then: this, unless another delivery was first.

        Raises ServiceUnavailable, Conflict if it is not the job's: of one that was forgotten, or a copy by its owner.
        """
        kept = self._bucket.write_new(job.output + name, body, {MARK: job.mark, **(metadata or {})})
        if kept.metadata.get(MARK) != job.mark:
            raise Conflict(
                f"output: the folder {job.output} holds '{name}' of another job; name another folder", field="output"
            )
        return kept

    def settle(self, job: BatchJob, shard: Shard, queue: Queue) -> BatchJob:
        """What is left to do of a shard that is done: its rest is queued, and the job ends if it was the last."""
        pending = [one for one in shard.rest if self._jobs.shard(job.id, one).status is not ShardStatus.DONE]
        if pending:
            now = self._jobs.get(job.id)  # if it was started again meanwhile, these are of that run
            queue.send(now.message(one) for one in pending)
        if shard.errors:
            job = self.check_errors(job)
        return self.finish(job)

    def finish(self, job: BatchJob) -> BatchJob:
        """The job as it is then: SUCCEEDED once all of its shards are done.

        One conditional write, to FINISHING, decides that; from there on whoever comes does the same, since manifest and
        `_SUCCESS` say nothing that is not in the rows of job and shards.
        """
        if job.status is JobStatus.RUNNING:
            job = self._finishing(job)
        if job.status is JobStatus.FINISHING:
            shards = list(self._jobs.shards(job.id))
            if missing(job, shards):
                raise NotFound("job", job.id)  # all were there: it expired meanwhile
            content = json.dumps(manifest(job, shards), indent=2).encode()
            self._bucket.write(job.output + MANIFEST, content)
            self._bucket.write(job.output + SUCCESS, b"")
            job = self._jobs.move(job.id, JobStatus.SUCCEEDED, [JobStatus.FINISHING])
        return self._announcements.tell(job)

    def _finishing(self, job: BatchJob) -> BatchJob:
        """FINISHING if all that was planned is done; FAILED if some of it is not there and so would never be."""
        reason = None
        for seconds in LOOKS_AFTER_SECONDS:
            time.sleep(seconds)
            if not self._jobs.is_done(job.id):
                return job
            reason = missing(job, list(self._jobs.shards(job.id)))
            if reason is None:
                self.check_errors(job)
                return self._jobs.move(job.id, JobStatus.FINISHING, [JobStatus.RUNNING])
        return self.fail(job.id, f"its shards are not whole: {reason}", job.run)

    def check_errors(self, job: BatchJob) -> BatchJob:
        """FAILED as soon as more records failed than `max_errors` allows."""
        if job.options.get("max_errors") is None or job.status is not JobStatus.RUNNING:
            return job
        reason = too_many_errors(job, list(self._jobs.shards(job.id)))
        return self.fail(job.id, reason) if reason else job

    def fail(self, job_id: str, reason: str, run: int | None = None) -> BatchJob:
        """FAILED, if it has not ended; what is good of it stays. With `run`, only while it is in that one."""

        def decide(job: BatchJob) -> BatchJob | None:
            meant = job.status in OPEN if run is None else (job.status, job.run) == (JobStatus.RUNNING, run)
            return replace(job, status=JobStatus.FAILED, reason=reason) if meant else None

        return self._announcements.tell(self._jobs.change(job_id, decide))


def too_many_errors(job: BatchJob, shards: Sequence[Shard]) -> str | None:
    errors, most = sum(shard.errors for shard in shards), job.options.get("max_errors")
    if most is None or errors <= most:
        return None
    return f"{errors:,} records failed, allowed are {most:,} (max_errors)"


def missing(job: BatchJob, shards: Sequence[Shard]) -> str | None:
    """What is not there or not done of the range that was planned; None if all is. The shards in the input's order."""
    open_ = next((shard for shard in shards if shard.status is not ShardStatus.DONE), None)
    if open_:
        return f"shard {open_.name} is {open_.status}"
    ends = [shard.end if shard.agreed_end is None else shard.agreed_end for shard in shards]
    starts = [shard.start for shard in shards]
    borders = list(zip([*job.planned[:1], *ends], [*starts, *job.planned[1:]], strict=True))
    gap = next(((end, start) for end, start in borders if end != start), None)
    return f"nothing is known of [{gap[0]:,}, {gap[1]:,})" if gap else None


def manifest(job: BatchJob, shards: Sequence[Shard]) -> dict[str, Any]:
    return {
        "job": job.id,
        "model": job.model,
        "version": job.version,
        "input": {"key": job.input_key, "s3_version": job.input_s3_version, "size_bytes": job.input_bytes},
        "format": job.format,
        "rows": sum(shard.rows for shard in shards),
        "errors": sum(shard.errors for shard in shards),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": max((shard.updated_at for shard in shards), default=job.created_at),
        "parts": list(_parts(job, shards)),
    }


def _parts(job: BatchJob, shards: Sequence[Shard]) -> Iterator[dict[str, Any]]:
    """In the input's order."""
    for shard in shards:
        for part in shard.parts:
            name = part.key.removeprefix(job.output)
            yield {"name": name, "size_bytes": part.size_bytes, "sha256": part.sha256, "rows": shard.rows}
