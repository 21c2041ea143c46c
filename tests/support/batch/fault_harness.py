"""Runs batch jobs under faults chosen by a seed: killed workers, failing services, repeated and reordered messages.

The planner and the worker are the real ones, over moto's server. Besides the faults of faults.py, a message is
delivered twice, late, before others, or with no time left, so that its shard is split.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import boto3
import pytest

from maas import bootstrap
from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.batch import locations
from maas.batch.planner import Arrived
from maas.batch.state.job_records import BatchJob, JobRequest, JobStatus
from maas_local.engine import moto_server
from support.aws.engine import Cloud, create_cloud
from support.batch.faults import Faults, FaultyProcess, FaultyServer, Killed

MODEL = "faulty"
MOST_DELIVERIES = 3000


@dataclass(frozen=True)
class Input:
    """An input that is dropped into the bucket, or with `rows_at_once` submitted as a job with that batch size."""

    content: bytes
    rows_at_once: int | None = None


@dataclass(frozen=True)
class Outcome:
    """`parts` by name; `joined` by suffix, in the bucket's order; without fields that hold times."""

    job: BatchJob
    parts: dict[str, bytes]
    manifest: dict[str, Any]
    told: list[str]
    met: Counter[str]

    @property
    def joined(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name in sorted(self.parts):
            suffix = name.split(".", 1)[1] if name.startswith("part-") else name
            body = self.parts[name]
            if suffix == "csv" and suffix in found:
                body = body.partition(b"\n")[2]  # without its header
            found[suffix] = found.get(suffix, b"") + body
        return found

    @property
    def summary(self) -> tuple[int, int]:
        return self.manifest["rows"], self.manifest["errors"]


class Harness:
    """A model and one cloud for all runs; each run is a job."""

    def __init__(self, cloud: Cloud, faults: list[Faults], patch: pytest.MonkeyPatch) -> None:
        settings = cloud.settings
        self._cloud, self._faults = cloud, faults
        plain = client("sqs", settings.region, settings.endpoint_url)
        self._sqs, self._s3 = plain, cloud.s3
        self._queue_url = plain.create_queue(QueueName=f"shards-{settings.table}")["QueueUrl"]
        self._told_url = self._subscribe()
        self.settings = replace(settings, queue_url=self._queue_url)
        boto3.setup_default_session()
        client.cache_clear()  # clients of this session have the faults
        assert boto3.DEFAULT_SESSION
        FaultyProcess(lambda: faults[0], boto3.DEFAULT_SESSION)
        self.planner = replace(bootstrap.planner(self.settings), shard_bytes=600, shards_at_once=3)
        self.worker = bootstrap.worker(self.settings)
        self._submission = replace(bootstrap.submission(self.settings), shard_bytes=600)
        self._version = bootstrap.registry(settings).resolve(MODEL, "1")
        self._table = Table(boto3_call(client("dynamodb", settings.region, settings.endpoint_url)), settings.table)
        patch.setattr(time, "sleep", lambda _: None)  # waiting is not what is tested

    def _subscribe(self) -> str:
        """A queue that receives the events that jobs publish to EventBridge."""
        settings = self._cloud.settings
        name = f"told-{settings.table}"
        url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = client("events", settings.region, settings.endpoint_url)
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["maas"]}))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    # ------------------------------------------------------------- one run

    def run(self, name: str, given: Input, seed: int | None) -> Outcome:
        """Run a job of this input to its end. Without a seed there are no faults."""
        random = Random(seed)
        self._faults[0] = Faults(random)
        arrived = self._submitted(name, given) if given.rows_at_once else self._dropped(f"{seed}-{name}", given)
        faults = Faults(random, left=0 if seed is None else 40, rate=random.uniform(0.02, 0.12))
        waiting: list[Any] = [arrived]
        self._faults[0] = faults
        deliveries = 0
        while waiting:
            deliveries += 1
            assert deliveries < MOST_DELIVERIES, "it does not come to an end"
            place = 0 if seed is None else random.randrange(len(waiting))
            message = waiting.pop(place)
            is_splittable = given.rows_at_once is not None and not isinstance(message, Arrived)
            hurry = is_splittable and faults.happens("no time left", 4.0)
            if faults.happens("delivered twice", 2.0):
                waiting.append(message)
            left = faults.left
            try:
                self._deliver(message, hurry)
            except (Exception, Killed):
                if faults.left == left:  # no fault occurred
                    raise
                waiting.append(message)
            waiting += self._drain()
        faults.left = 0
        outcome = self._outcome(faults)
        self._forget(outcome.job)
        return outcome

    def _dropped(self, name: str, given: Input) -> Arrived:
        key = f"{locations.INPUT}{MODEL}/1/{name}"
        put = self._s3.put_object(Bucket=self.settings.bucket, Key=key, Body=given.content)
        return Arrived(key, put["VersionId"], len(given.content), "")

    def _submitted(self, name: str, given: Input) -> Arrived:
        key = f"{locations.DATA}{name}"
        self._s3.put_object(Bucket=self.settings.bucket, Key=key, Body=given.content)
        options = {} if given.rows_at_once is None else {"batch_size": given.rows_at_once}
        job, _ = self._submission.create(self._version, JobRequest(input=key, options=options), "tester", None)
        return Arrived(f"{locations.UPLOADS}{job.id}/{locations.START}", None, 2, "")

    def _forget(self, job: BatchJob) -> None:
        """Delete the job's rows: moto copies the table for each row of a transaction, so later runs would slow down."""
        self._table.delete(self._table.keys(f"J#{job.id}", "", limit=1000))

    def _deliver(self, message: Any, hurry: bool) -> None:
        faults = self._faults[0]
        deadline = time.monotonic() + (0 if hurry else 600)
        if isinstance(message, Arrived):
            faults.overtake = None
            self.planner.arrived(message)
            return
        faults.overtake = lambda: self.worker.work(message["job"], message["shard"], time.monotonic() + 600)
        self.worker.work(message["job"], message["shard"], deadline)

    def _drain(self) -> list[dict[str, str]]:
        found = []
        while messages := self._received(self._queue_url):
            found += [json.loads(one) for one in messages]
        return found

    def _received(self, url: str) -> list[str]:
        quiet, self._faults[0] = self._faults[0], Faults(Random(0))
        try:
            messages = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for one in messages:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            return [one["Body"] for one in messages]
        finally:
            self._faults[0] = quiet

    def _outcome(self, faults: Faults) -> Outcome:
        (job, *_), _ = self.worker.jobs.page(1, None)  # not through the planner, which would announce its end
        found = {}
        for one in self._s3.list_objects_v2(Bucket=self.settings.bucket, Prefix=job.output).get("Contents", []):
            body = self._s3.get_object(Bucket=self.settings.bucket, Key=one["Key"])["Body"].read()
            found[one["Key"].removeprefix(job.output)] = body
        self._drain()
        told = []
        while messages := self._received(self._told_url):
            told += [json.loads(one)["detail"]["status"] for one in messages]
        manifest = json.loads(found.pop("manifest.json", b"{}"))
        return Outcome(job, found, manifest, told, faults.met)


@contextmanager
def harness(folder: Any, model: bytes) -> Iterator[Harness]:
    faults = [Faults(Random(0))]
    server = moto_server("127.0.0.1")
    server.app = FaultyServer(server.app, lambda: faults[0])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    default = boto3.DEFAULT_SESSION
    with pytest.MonkeyPatch.context() as patch:
        cloud = create_cloud(f"http://127.0.0.1:{server.server_port}", folder)
        cloud.create_model(MODEL)
        version = cloud.deploy(MODEL, model)
        assert version.status == "READY", version.status_reason
        try:
            yield Harness(cloud, faults, patch)
        finally:
            boto3.DEFAULT_SESSION = default
            client.cache_clear()
            server.shutdown()
            server.server_close()


def is_right(outcome: Outcome, expected: Outcome) -> None:
    """Assert the same records, byte for byte, no other objects, and an announced success."""
    assert outcome.job.status is JobStatus.SUCCEEDED, outcome.job.reason
    assert outcome.summary == expected.summary
    assert outcome.joined == expected.joined
    listed = {one["name"] for one in outcome.manifest["parts"]}
    assert listed | {"_SUCCESS"} == set(outcome.parts)
    if "no time left" not in outcome.met:
        assert outcome.parts == expected.parts
    assert "SUCCEEDED" in outcome.told
