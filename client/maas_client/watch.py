"""Waiting for a job, without I/O."""

import time

from maas_client.errors import JobCancelled, JobFailed, JobTimedOut
from maas_client.job_records import Job

FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
SHARDS_A_SECOND = 1000  # a look at a job reads the row of every shard: of many, look less often


class Watch:
    """When to look at a job again. `timeout_seconds` is for all of it; None is as long as it takes."""

    def __init__(self, timeout_seconds: float | None) -> None:
        self._timeout_seconds, self._began = timeout_seconds, time.monotonic()
        self._pause_seconds = FIRST_LOOK_SECONDS

    def pause_after(self, job: Job) -> float | None:
        """Seconds until the next look; None once it SUCCEEDED. Raises JobFailed, JobCancelled, JobTimedOut."""
        if job.status == "SUCCEEDED":
            return None
        if job.status == "CANCELLED":
            raise JobCancelled(job)
        if job.status == "FAILED":
            raise JobFailed(job)
        pause, limit = self._pause_seconds, self._timeout_seconds
        if limit is not None and time.monotonic() + pause > self._began + limit:
            raise JobTimedOut(job, limit)
        shards = job.progress.shards_total if job.progress else 0
        self._pause_seconds = min(pause * 1.5, LONGEST_PAUSE_SECONDS + shards / SHARDS_A_SECOND)
        return pause
