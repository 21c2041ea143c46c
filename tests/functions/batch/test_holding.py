"""A message is hidden while its worker lives and comes again soon after its death; SQS's clock is simulated."""

import json
import signal
import time
from dataclasses import dataclass, replace
from typing import Any

import moto.sqs.models
import pytest

from conftest import LoadFunction
from maas.aws.clients import client
from maas.aws.sqs import Queue
from maas.batch.holding import held
from maas.batch.state.job_records import JobStatus, ShardStatus
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.queues import event_of
from support.aws.engine import Cloud
from support.batch import worker_process
from support.batch.runs import Runs
from support.batch.worker_process import Context
from support.events import seed

HOLD, QUEUE_TIMEOUT, ATTEMPTS = 180, 5400, 5
ROWS = b"".join(b'{"x": [%d, 2, 3]}\n' % number for number in range(4_000))  # record by record: a second or more


@dataclass
class Clock:
    """Seconds by which SQS's clock is ahead."""

    ahead: float = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock, milliseconds = Clock(), moto.sqs.models.unix_time_millis
    monkeypatch.setattr(moto.sqs.models, "unix_time_millis", lambda: milliseconds() + clock.ahead * 1000)
    return clock


class Sqs:
    """The queue of shards with the attributes of the template, and its dead letters."""

    def __init__(self, cloud: Cloud) -> None:
        self.client = client("sqs", cloud.settings.region, cloud.settings.endpoint_url)
        self.url = cloud.settings.queue_url
        self.dead_url: str = self.client.create_queue(QueueName=f"{cloud.settings.table}-dead")["QueueUrl"]
        arn = self.client.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        policy = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": ATTEMPTS})
        attributes = {"VisibilityTimeout": str(QUEUE_TIMEOUT), "RedrivePolicy": policy}
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

        self.name, self.queue = self.url.rpartition("/")[2], Queue(self.client, self.url)

    def receive(self, url: str | None = None) -> dict[str, Any] | None:
        found = self.client.receive_message(QueueUrl=url or self.url, AttributeNames=["All"]).get("Messages", [])
        return found[0] if found else None


@pytest.fixture
def sqs(cloud: Cloud) -> Sqs:
    return Sqs(cloud)


@pytest.fixture
def runs(cloud: Cloud, sqs: Sqs) -> Runs:
    """Jobs of one shard that takes some seconds."""
    seed(cloud)
    sqs.client.purge_queue(QueueUrl=sqs.url)
    runs = Runs(cloud)
    runs.submission = replace(runs.submission, shard_bytes=1 << 20)
    return runs


def in_queue(cloud: Cloud, message: dict[str, Any]) -> Any:
    """The message as moto has it."""
    queue = moto.sqs.models.sqs_backends[ACCOUNT][REGION].queues[cloud.settings.queue_url.rpartition("/")[2]]
    (seen,) = [one for one in queue._messages if one.id == message["MessageId"]]
    return seen


def killed(cloud: Cloud, message: dict[str, Any]) -> None:
    """Deliver the message to a worker, and kill its process once it has changed the message's visibility."""
    seen = in_queue(cloud, message)
    before = seen.visible_at
    with worker_process.start(cloud, message) as process:
        while seen.visible_at == before:
            assert process.poll() is None, "the worker ended before it could be killed"
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.full
def test_killed_worker_is_replaced_after_the_hold(
    cloud: Cloud, runs: Runs, sqs: Sqs, clock: Clock, load_function: LoadFunction
) -> None:
    job = runs.job(ROWS, batch_size=1)
    first = sqs.receive()
    assert first
    killed(cloud, first)
    assert runs.jobs.shards.get(job.id, "00000").status is ShardStatus.PENDING
    clock.ahead += HOLD - 5
    assert sqs.receive() is None
    clock.ahead += 6
    again = sqs.receive()
    assert again and again["Attributes"]["ApproximateReceiveCount"] == "2"
    answer = load_function("WorkerFunction").lambda_handler(event_of(sqs.name, [again]), Context)
    ended = runs.jobs.get(job.id)
    assert (answer, ended.status) == ({"batchItemFailures": []}, JobStatus.SUCCEEDED)
    assert len(runs.read(f"{job.output}part-00000.jsonl").splitlines()) == len(ROWS.splitlines())


@pytest.mark.full
def test_shard_that_kills_every_worker_fails_its_job(
    cloud: Cloud, runs: Runs, sqs: Sqs, clock: Clock, load_function: LoadFunction
) -> None:
    """As by running out of memory: after five attempts as before, in a quarter of an hour instead of 7.5 hours."""
    job = runs.job(ROWS, batch_size=1)
    for attempt in range(1, ATTEMPTS + 1):
        message = sqs.receive()
        assert message and message["Attributes"]["ApproximateReceiveCount"] == str(attempt)
        killed(cloud, message)
        clock.ahead += HOLD + 1
    assert sqs.receive() is None
    letter = sqs.receive(sqs.dead_url)
    assert letter and clock.ahead <= 16 * 60
    load_function("PlannerFunction").lambda_handler(event_of("BatchDeadLetters", [letter]), Context)
    ended = runs.jobs.get(job.id)
    assert ended.status is JobStatus.FAILED
    assert ended.reason and "the worker ran out of memory or time" in ended.reason


@pytest.mark.full
def test_working_worker_keeps_its_message(sqs: Sqs, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQS's clock stands still until the worker has renewed its hold."""
    now = 1_800_000_000_000
    monkeypatch.setattr(moto.sqs.models, "unix_time_millis", lambda: now)
    sqs.client.send_message(QueueUrl=sqs.url, MessageBody="{}")
    message, deadline = sqs.receive(), time.monotonic() + 600
    assert message
    seen = in_queue(cloud, message)
    with held(sqs.queue, message["ReceiptHandle"], deadline, 1):
        for _ in range(5):
            while seen.visible_at != now + 1000:
                time.sleep(0.01)
            now += 900
            assert sqs.receive() is None
    now += 1001
    assert sqs.receive()


@pytest.mark.full
def test_message_is_not_held_after_the_deadline(sqs: Sqs, cloud: Cloud) -> None:
    sqs.client.send_message(QueueUrl=sqs.url, MessageBody="{}")
    message = sqs.receive()
    assert message
    with held(sqs.queue, message["ReceiptHandle"], time.monotonic(), 1):
        time.sleep(1.5)
        assert sqs.receive()


@pytest.mark.full
def test_failed_attempt_is_repeated_after_its_own_pause(
    runs: Runs, sqs: Sqs, clock: Clock, load_function: LoadFunction
) -> None:
    """The pause, which grows with the attempts, replaces the hold."""
    sqs.client.send_message(QueueUrl=sqs.url, MessageBody="{}")
    message = sqs.receive()
    assert message
    answer = load_function("WorkerFunction").lambda_handler(event_of(sqs.name, [message]), Context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": message["MessageId"]}]}
    clock.ahead += 28
    assert sqs.receive() is None
    clock.ahead += 3
    assert sqs.receive()


@pytest.mark.full
def test_asynchronous_request_does_not_wait_for_shards(
    cloud: Cloud, runs: Runs, sqs: Sqs, load_function: LoadFunction
) -> None:
    runs.submission = replace(runs.submission, shard_bytes=40)
    batch, request = runs.job(), runs.deferred()
    name, message = cloud.settings.async_queue_url.rpartition("/")[2], sqs.receive(cloud.settings.async_queue_url)
    assert message and json.loads(message["Body"]) == request.message("")
    assert sqs.receive(cloud.settings.async_queue_url) is None
    handler = load_function("WorkerFunction").lambda_handler
    assert handler(event_of(name, [message]), Context) == {"batchItemFailures": []}
    assert runs.jobs.get(request.id).status is JobStatus.SUCCEEDED
    assert runs.jobs.get(batch.id).status is JobStatus.RUNNING


@pytest.mark.full
def test_failed_asynchronous_request_returns_to_its_queue(
    cloud: Cloud, sqs: Sqs, clock: Clock, load_function: LoadFunction
) -> None:
    url = cloud.settings.async_queue_url
    sqs.client.send_message(QueueUrl=url, MessageBody="{}")
    message = sqs.receive(url)
    assert message
    load_function("WorkerFunction").lambda_handler(event_of(url.rpartition("/")[2], [message]), Context)
    assert sqs.receive(url) is None
    clock.ahead += 31
    assert sqs.receive(url)
