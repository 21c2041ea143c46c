"""What a job leaves in the bucket: parts, each written once; then the manifest; then `_SUCCESS`."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maas.aws.s3 import ModelBucket
from maas.batch.announcements import Announcements
from maas.batch.jobs import Jobs
from maas.batch.keys import MANIFEST, SUCCESS
from maas.batch.records import OPEN, BatchJob, JobStatus, Part, Shard, ShardStatus
from maas.errors import NotFound


class Results:
    def __init__(self, jobs: Jobs, bucket: ModelBucket, announcements: Announcements) -> None:
        self._jobs, self._bucket, self._announcements = jobs, bucket, announcements

    def announce(self, job: BatchJob) -> BatchJob:
        """See `Announcements.tell`."""
        return self._announcements.tell(job)

    def write_parts(self, job: BatchJob, shard: Shard, files: Mapping[str, bytes]) -> tuple[Part, ...]:
        """The shard's parts as they stand in the bucket: these, by suffix, unless another delivery wrote them first.

        Raises ServiceUnavailable.
        """
        return tuple(self._part(f"{job.output}part-{shard.name}.{suffix}", files[suffix]) for suffix in sorted(files))

    def _part(self, key: str, body: bytes) -> Part:
        if not self._bucket.write_new(key, body):
            body = self._bucket.read(key)
        return Part(key, len(body), hashlib.sha256(body).hexdigest())

    def finish(self, job: BatchJob) -> BatchJob:
        """The job as it is then: SUCCEEDED once all of its shards are done.

        One conditional write, to FINISHING, decides that; from there on whoever comes does the same, since manifest and
        `_SUCCESS` say nothing that is not in the rows of job and shards.
        """
        if job.status is JobStatus.RUNNING and self._jobs.is_done(job.id):
            job = self.check_errors(job)
            job = self._jobs.move(job.id, JobStatus.FINISHING, [JobStatus.RUNNING])
        if job.status is JobStatus.FINISHING:
            content = json.dumps(manifest(job, list(self._jobs.shards(job.id))), indent=2).encode()
            self._bucket.write(job.output + MANIFEST, content)
            self._bucket.write(job.output + SUCCESS, b"")
            job = self._jobs.move(job.id, JobStatus.SUCCEEDED, [JobStatus.FINISHING])
        return self._announcements.tell(job)

    def check_errors(self, job: BatchJob) -> BatchJob:
        """FAILED as soon as more records failed than `max_errors` allows."""
        if job.options.get("max_errors") is None or job.status is not JobStatus.RUNNING:
            return job
        reason = too_many_errors(job, list(self._jobs.shards(job.id)))
        return self.fail(job.id, reason) if reason else job

    def fail(self, job_id: str, reason: str) -> BatchJob:
        """FAILED, if it has not ended; what is good of it stays."""
        job = self._jobs.move(job_id, JobStatus.FAILED, OPEN, reason=reason)
        return self._announcements.tell(job)

    def give_up(self, job_id: str, shard_name: str) -> BatchJob | None:
        """Of a shard whose last delivery failed too: it is FAILED, and so is its job. None if there is no such job."""
        reason = "no attempt came to an end: its worker ran out of memory or time"
        try:
            job = self._jobs.get(job_id)
            if shard_name:
                shard = self._jobs.shard(job_id, shard_name)
                if shard.status is ShardStatus.DONE:
                    return job
                reason = shard.reason or reason
                self._jobs.set_shard_status(job, shard_name, ShardStatus.FAILED, reason)
        except NotFound:
            return None
        return self.fail(job_id, f"shard {shard_name} failed at every attempt: {reason}" if shard_name else reason)


def too_many_errors(job: BatchJob, shards: Sequence[Shard]) -> str | None:
    errors, most = sum(shard.errors for shard in shards), job.options.get("max_errors")
    if most is None or errors <= most:
        return None
    return f"{errors:,} records failed, allowed are {most:,} (max_errors)"


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
