"""Runs the jobs of a benchmark: the real planner and worker over a cloud, with a queue."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from maas import bootstrap
from maas.aws.clients import client
from maas.batch.locations import DATA, START, UPLOADS
from maas.batch.planner import Arrived, Planner
from maas.batch.state.job_records import BatchJob, JobRequest, JobStatus
from maas.batch.submission import Submission
from maas.batch.worker import Worker
from maas.settings import Settings
from support.aws.engine import Cloud


@dataclass(frozen=True)
class Place:
    settings: Settings
    submission: Submission
    planner: Planner
    worker: Worker

    @classmethod
    def of(cls, cloud: Cloud, name: str) -> "Place":
        sqs = client("sqs", cloud.settings.region, cloud.settings.endpoint_url)
        settings = replace(cloud.settings, queue_url=sqs.create_queue(QueueName=name)["QueueUrl"])
        return cls(settings, bootstrap.submission(settings), bootstrap.planner(settings), bootstrap.worker(settings))

    def job(self, model: str, file: str, shard_bytes: int | None = None) -> BatchJob:
        """A planned job for `batch/data/{file}`, with its shards queued."""
        version = self.worker.dataplane.resolve(model, "1").version
        submission = replace(self.submission, shard_bytes=shard_bytes or self.submission.shard_bytes)
        made, _ = submission.create(version, JobRequest(input=f"{DATA}{file}"), "tester", None)
        job = self.planner.arrived(Arrived(f"{UPLOADS}{made.id}/{START}", None, 2, ""))
        assert job and job.status is JobStatus.RUNNING, job and job.reason
        return job

    def messages(self) -> Iterator[dict[str, str]]:
        """The queue's messages until it is empty."""
        sqs = client("sqs", self.settings.region, self.settings.endpoint_url)
        url = self.settings.queue_url
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
            yield json.loads(messages[0]["Body"])
