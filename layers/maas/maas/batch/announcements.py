"""Who is told of a job's state: EventBridge at every change, and whom the job names when it has ended.

At least once: what was told stands in the job, and whoever handles the job next tells what was not.
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

    def tell(self, job: BatchJob) -> BatchJob:
        """The job as it is then. Raises ServiceUnavailable."""
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
            if refused:  # the caller's own address: no fault of the job, and EventBridge has the event
                logger().warning("notification refused", extra={"job": job.id, "reason": refused})
        told = job.status
        return self._jobs.change(job.id, lambda one: replace(one, announced=told) if one.announced != told else None)
