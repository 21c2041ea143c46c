"""Runs batch jobs with the real planner and worker; tests choose the order of shards."""

import json
import time
from dataclasses import replace

from maas import bootstrap
from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.batch.locations import START, UPLOADS
from maas.batch.planner import Arrived
from maas.batch.state.job_records import BatchJob, JobRequest
from support.aws.engine import Cloud

ROWS = b"".join(b'{"x": [%d, 2, 3]}\n' % number for number in range(8))


class Runs:
    """Jobs of model `example`, version 1: y = [sum of x, sum of x]."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, settings = cloud, cloud.settings
        self.jobs, self.worker = bootstrap.jobs(settings), bootstrap.worker(settings)
        self.planner = replace(bootstrap.planner(settings), shard_bytes=40)
        self.submission = replace(bootstrap.submission(settings), shard_bytes=40)
        self.version = bootstrap.registry(settings).resolve("example", "1")

    def job(
        self, content: bytes = ROWS, output: str | None = None, name: str = "rows.jsonl", **options: object
    ) -> BatchJob:
        """A planned job."""
        self.put(f"batch/data/{name}", content)
        wanted = JobRequest(input=f"batch/data/{name}", output=output, options=options)
        return self.started(self.submission.create(self.version, wanted, "tester", None)[0])

    def started(self, job: BatchJob) -> BatchJob:
        started = self.planner.arrived(Arrived(f"{UPLOADS}{job.id}/{START}", None, 2, ""))
        assert started
        return started

    def dropped(self, key: str, content: bytes = ROWS) -> BatchJob | None:
        """The job of an object that arrives under this key, planned; None if it creates none."""
        self.put(key, content)
        return self.planner.arrived(Arrived(key, None, len(content), ""))

    def deferred(self) -> BatchJob:
        body = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}).encode()
        job = bootstrap.deferred(self.cloud.settings).submit(self.version, body, None, "tester")
        planned = self.planner.arrived(Arrived(job.input_key, None, len(body), ""))
        assert planned
        return planned

    def work(self, job: BatchJob, *names: str) -> BatchJob:
        """Work on these shards, or all; returns the job."""
        for name in names or list(self.jobs.shards.pending(job.id)):
            self.worker.work(job.id, name, time.monotonic() + 600)
        return self.jobs.get(job.id)

    def put(self, key: str, content: bytes, **metadata: str) -> None:
        self.cloud.s3.put_object(Bucket=self.cloud.settings.bucket, Key=key, Body=content, Metadata=metadata)

    def read(self, key: str) -> bytes:
        body: bytes = self.cloud.s3.get_object(Bucket=self.cloud.settings.bucket, Key=key)["Body"].read()
        return body

    @property
    def table(self) -> Table:
        settings = self.cloud.settings
        return Table(boto3_call(client("dynamodb", settings.region, settings.endpoint_url)), settings.table)
