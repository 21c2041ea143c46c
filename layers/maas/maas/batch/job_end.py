"""Ends jobs: SUCCEEDED with a manifest and `_SUCCESS`, or FAILED with a reason."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maas.aws.sqs import Queue
from maas.batch.announcements import Announcements
from maas.batch.job_output import JobOutput
from maas.batch.locations import MANIFEST, SUCCESS
from maas.batch.state.job_records import OPEN, BatchJob, JobStatus, Shadowed, Shard, ShardStatus
from maas.batch.state.jobs import Jobs
from maas.errors import NotFound

# A query may show the end of a shard before its rest, although one transaction writes both: look again.
LOOKS_AFTER_SECONDS = (0.0, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class JobEnd:
    jobs: Jobs
    output: JobOutput
    announcements: Announcements

    def settle(self, job: BatchJob, shard: Shard, queue: Queue) -> BatchJob:
        """Finish the work on a shard that is DONE: queue its rest, check the errors, end the job if it was the last."""
        pending = [name for name in shard.rest if self.jobs.shards.get(job.id, name).status is not ShardStatus.DONE]
        if pending:
            current = self.jobs.get(job.id)  # the messages carry the current run, which a retry changes
            queue.send(current.message(name) for name in pending)
        if shard.errors:
            job = self.check_errors(job)
        return self.finish(job)

    def finish(self, job: BatchJob) -> BatchJob:
        """Mark the job SUCCEEDED once all its shards are done; returns the job as it is then.

        One conditional write, to FINISHING, decides that. After it any delivery may do the rest, because manifest and
        `_SUCCESS` follow from the rows of the job and its shards alone.
        """
        shards = None
        if job.status is JobStatus.RUNNING:
            job, shards = self._finishing(job)
        if job.status is JobStatus.FINISHING:
            if shards is None:
                shards = list(self.jobs.shards.all(job.id))
                if missing(job, shards):
                    raise NotFound("job", job.id)  # all shards were there: the job expired meanwhile
            self.output.write_summary(job, MANIFEST, json.dumps(manifest(job, shards), indent=2).encode())
            self.output.write_summary(job, SUCCESS, b"")
            job = self.jobs.move(job, JobStatus.SUCCEEDED, [JobStatus.FINISHING])
        return self.announcements.announce(job)

    def _finishing(self, job: BatchJob) -> tuple[BatchJob, list[Shard] | None]:
        """Move to FINISHING if all planned shards are done, to FAILED if some are missing and so never will be.

        Returns the job, and its shards if all are done: they change no more.
        """
        reason = None
        for seconds in LOOKS_AFTER_SECONDS:
            time.sleep(seconds)
            if not self.jobs.shards.all_done(job.id):
                return job, None
            shards = list(self.jobs.shards.all(job.id))
            reason = missing(job, shards)
            if reason is None:
                errors = sum(shard.errors for shard in shards)
                if failure := too_many_errors(job, errors) or all_failed(shards):
                    return self.fail(job.id, failure, job.run), None
                return self.jobs.move(job, JobStatus.FINISHING, [JobStatus.RUNNING]), shards
        return self.fail(job.id, f"shards are missing: {reason}", job.run), None

    def check_errors(self, job: BatchJob) -> BatchJob:
        """Fail the job as soon as more records failed than `max_errors` allows."""
        if job.options.get("max_errors") is None or job.status is not JobStatus.RUNNING:
            return job
        reason = too_many_errors(job, self.jobs.shards.tally(job.id).errors)
        return self.fail(job.id, reason) if reason else job

    def fail(self, job_id: str, reason: str, run: int | None = None) -> BatchJob:
        """Mark the job FAILED unless it has ended; finished parts stay. With `run`, only while that run is current."""

        def decide(job: BatchJob) -> BatchJob | None:
            is_meant = job.status in OPEN if run is None else (job.status, job.run) == (JobStatus.RUNNING, run)
            return replace(job, status=JobStatus.FAILED, reason=reason) if is_meant else None

        return self.announcements.announce(self.jobs.change(job_id, decide))


def too_many_errors(job: BatchJob, errors: int) -> str | None:
    """The reason to fail the job, None if so many records with errors are allowed."""
    limit = job.options.get("max_errors")
    if limit is None or errors <= limit:
        return None
    return f"{errors:,} records failed, allowed are {limit:,} (max_errors)"


def all_failed(shards: Sequence[Shard]) -> str | None:
    """The reason to fail a job of which no record succeeded; None for any other, also one without records."""
    rows = sum(shard.rows for shard in shards)
    if not rows or sum(shard.errors for shard in shards) < rows:
        return None
    first = next((shard.reason for shard in shards if shard.reason), "see the errors in its parts")
    return f"all {rows:,} records failed, the first one with: {first}"


def missing(job: BatchJob, shards: Sequence[Shard]) -> str | None:
    """Which part of the planned range is not done; None if all is. Expects the shards in the input's order."""
    not_done = next((shard for shard in shards if shard.status is not ShardStatus.DONE), None)
    if not_done:
        return f"shard {not_done.name} is {not_done.status}"
    ends = [shard.end if shard.agreed_end is None else shard.agreed_end for shard in shards]
    starts = [shard.start for shard in shards]
    borders = list(zip([*job.planned[:1], *ends], [*starts, *job.planned[1:]], strict=True))
    gap = next(((end, start) for end, start in borders if end != start), None)
    return f"no shard covers [{gap[0]:,}, {gap[1]:,})" if gap else None


def manifest(job: BatchJob, shards: Sequence[Shard]) -> dict[str, Any]:
    return {
        "job": job.id,
        "model": job.model,
        "version": job.version,
        "input": {"key": job.input_key, "s3_version": job.input_s3_version, "size_bytes": job.input_bytes},
        "format": job.format,
        "rows": sum(shard.rows for shard in shards),
        "errors": sum(shard.errors for shard in shards),
        "shadow": _shadow(job, shards),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": max((shard.updated_at for shard in shards), default=job.created_at),
        "parts": list(_parts(job, shards)),
    }


def _shadow(job: BatchJob, shards: Sequence[Shard]) -> dict[str, Any] | None:
    """As in the job's progress, with the version; None for a job without a shadow."""
    if job.shadow is None:
        return None
    found = Shadowed.sum(shard.shadow for shard in shards if shard.shadow)
    return {"version": job.shadow.version} | found.shown()


def _parts(job: BatchJob, shards: Sequence[Shard]) -> Iterator[dict[str, Any]]:
    """In the input's order."""
    for shard in shards:
        for part in shard.parts:
            name = part.key.removeprefix(job.output)
            yield {"name": name, "size_bytes": part.size_bytes, "sha256": part.sha256, "rows": shard.rows}
