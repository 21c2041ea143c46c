"""Publishes a job's state: every change to EventBridge, its end also to the address the job names in `notify`.

Delivery is at least once: the job records the last status that was published, and whoever handles the job next
publishes what is still missing.
"""

from dataclasses import replace

from maas.aws.event_bus import EventBus
from maas.aws.sns import Topics
from maas.batch import webhook
from maas.batch.job_records import ENDED, BatchJob
from maas.batch.jobs import Jobs
from maas.telemetry.observability import count, logger

STATE_CHANGE = "MaaS Job State Change"
TOPIC = "arn:"


class Announcements:
    def __init__(self, jobs: Jobs, bus: EventBus, topics: Topics) -> None:
        self._jobs, self._bus, self._topics = jobs, bus, topics

    def announce(self, job: BatchJob) -> BatchJob:
        """Publish the job's status unless that is done; returns the job as it is then. Raises ServiceUnavailable."""
        if job.announced == job.status:
            return job
        detail = {"id": job.id, "kind": job.kind, "model": job.model, "version": job.version, "status": job.status}
        detail |= {"output": job.output, "reason": job.reason, "at": job.updated_at}
        self._bus.put(STATE_CHANGE, detail)
        if job.status in ENDED:
            count(f"Jobs{job.status.capitalize()}")
        if job.notify and job.status in ENDED:
            refused = (
                self._topics.publish(job.notify, detail)
                if job.notify.startswith(TOPIC)
                else webhook.post(job.notify, detail)
            )
            if refused:  # the caller's own address: the job is fine, and EventBridge has the event
                logger().warning("notification refused", extra={"job": job.id, "reason": refused})
        status = job.status
        return self._jobs.change(
            job.id, lambda found: replace(found, announced=status) if found.announced != status else None
        )
