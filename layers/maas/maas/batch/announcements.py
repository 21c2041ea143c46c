"""Publishes a job's state: every change to EventBridge, its end also to the address the job names in `notify`.

Delivery is at least once: the job records the last status that was published, and whoever handles the job next
publishes what is still missing.
"""

from dataclasses import replace

from maas.batch.job_records import ENDED, BatchJob
from maas.batch.jobs import Jobs
from maas.notices.notices import Notices
from maas.telemetry.observability import count, logger

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
        self._notices.publish(STATE_CHANGE, detail)
        if job.status in ENDED:
            count(f"Jobs{job.status.capitalize()}")
        if job.notify and job.status in ENDED:
            refused = self._notices.notify(job.notify, detail)
            if refused:  # the caller's own address: the job is fine, and EventBridge has the event
                logger().warning("notification refused", extra={"job": job.id, "reason": refused})
        status = job.status
        return self._jobs.change(
            job, lambda found: replace(found, announced=status) if found.announced != status else None
        )
