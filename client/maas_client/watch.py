"""Decides when to poll a job, without I/O."""

import time

from maas_client.errors import JobCancelled, JobFailed, JobTimedOut
from maas_client.records.jobs import Job

FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0


class Watch:
    """Decides when to poll a job again. `timeout_seconds` bounds the whole wait; None does not."""

    def __init__(self, timeout_seconds: float | None) -> None:
        self._timeout_seconds, self._began = timeout_seconds, time.monotonic()
        self._pause_seconds = FIRST_LOOK_SECONDS

    @property
    def deadline(self) -> float | None:
        """Of time.monotonic."""
        return None if self._timeout_seconds is None else self._began + self._timeout_seconds

    @property
    def is_over(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def timed_out(self, job: Job) -> JobTimedOut:
        return JobTimedOut(job, self._timeout_seconds or 0.0)

    def pause_after(self, job: Job) -> float | None:
        """Seconds until the next poll; None once it SUCCEEDED. Raises JobFailed, JobCancelled, JobTimedOut."""
        if job.status == "SUCCEEDED":
            return None
        if job.status == "CANCELLED":
            raise JobCancelled(job)
        if job.status == "FAILED":
            raise JobFailed(job)
        pause = self._pause_seconds
        if self.deadline is not None and time.monotonic() + pause > self.deadline:
            raise self.timed_out(job)
        self._pause_seconds = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        return pause
