"""Publishes a job's state: every change to EventBridge, its end also to the address the job names in `notify`.

Delivery is at least once: the job records the last status that was published, and whoever handles the job next
publishes what is still missing.
"""

from dataclasses import replace

from maas.batch.state.job_records import ENDED, BatchJob
from maas.batch.state.jobs import Jobs
from maas.notices.notices import Notices
from maas.telemetry.observability import count

STATE_CHANGE = "MaaS Job State Change"


class Announcements:
    def __init__(self, jobs: Jobs, notices: Notices) -> None:
        self._jobs, self._notices = jobs, notices

    def announce(self, job: BatchJob) -> BatchJob:
        """Publish the job's status unless that is done; returns the job as it is then. Raises ServiceUnavailable."""
        if job.announced == job.status:
            return job
        detail = {"id": job.id, "kind": job.kind, "model": job.model, "version": job.version, "status": job.status}
        detail |= {"output": job.output, "reason": job.reason, "at": job.updated_at}
        self._notices.tell(STATE_CHANGE, detail, job.notify if job.status in ENDED else None)
        if job.status in ENDED:
            count(f"Jobs{job.status.capitalize()}")
        status = job.status
        return self._jobs.change(
            job, lambda found: replace(found, announced=status) if found.announced != status else None
        )
