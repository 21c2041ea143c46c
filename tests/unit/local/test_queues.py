"""Messages of a real queue (moto's) delivered to a function: once, retried on failure, then dead-lettered."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maas_local.cloud import LocalCloud
from maas_local.functions import DIED, FunctionError
from maas_local.queues import QueuePump
from maas_local.template import Template
from support import local_project

RESOURCES = """
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/one
      Events:
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt Work.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
  Work:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}}
  Dead: {Type: AWS::SQS::Queue}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return local_project.write(tmp_path / "project", RESOURCES, "def lambda_handler(event, context): ...")


@pytest.fixture
def cloud(template: Path) -> Iterator[LocalCloud]:
    with LocalCloud.start(template) as cloud:
        yield cloud


@pytest.fixture
def pump_to(template: Path, cloud: LocalCloud) -> Iterator[Callable[[Callable[..., object]], None]]:
    pumps: list[QueuePump] = []

    def start(invoke: Callable[..., object]) -> None:
        pumps.append(QueuePump(cloud, Template.load(template), invoke, retry_seconds=0))
        pumps[-1].start()

    yield start
    for pump in pumps:
        pump.stop()


def send(cloud: LocalCloud, *bodies: str) -> None:
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="Work")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def left(cloud: LocalCloud, queue: str) -> list[str]:
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return [one["Body"] for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]


def eventually(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.full
def test_messages_are_delivered_once(cloud: LocalCloud, pump_to: Callable[..., None]) -> None:
    seen: list[dict[str, Any]] = []
    lock = threading.Lock()

    def invoke(function: str, event: dict[str, Any]) -> dict[str, Any]:
        assert function == "One"
        with lock:
            seen.extend(event["Records"])
        return {"batchItemFailures": []}

    send(cloud, "a", "b", "c")
    pump_to(invoke)
    eventually(lambda: len(seen) >= 3)
    time.sleep(1.5)
    assert sorted(record["body"] for record in seen) == ["a", "b", "c"]
    assert {record["eventSource"] for record in seen} == {"aws:sqs"}
    assert {record["attributes"]["ApproximateReceiveCount"] for record in seen} == {"1"}
    assert left(cloud, "Dead") == []


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("how", ["says so", "raises", "names what is none"])
def test_failed_message_is_retried_then_dead_lettered(
    cloud: LocalCloud, pump_to: Callable[..., None], how: str
) -> None:
    counts: list[int] = []

    def invoke(_: str, event: dict[str, Any]) -> dict[str, Any]:
        counts.extend(int(record["attributes"]["ApproximateReceiveCount"]) for record in event["Records"])
        if how == "raises":
            raise RuntimeError("no")
        names = [record["messageId"] for record in event["Records"]] if how == "says so" else ["somebody else"]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}

    send(cloud, "poisoned")
    pump_to(invoke)
    dead: list[str] = []
    eventually(lambda: bool(dead.extend(left(cloud, "Dead")) or dead))
    assert dead == ["poisoned"]
    assert counts == [1, 2]


@pytest.mark.full
def test_message_of_a_dead_function_stays_hidden(cloud: LocalCloud, pump_to: Callable[..., None]) -> None:
    """For as long as the function hid it: nothing is done for a process that died."""
    hidden, seen = 3, []
    sqs = cloud.client("sqs")

    def invoke(_: str, event: dict[str, Any]) -> dict[str, Any]:
        seen.append(time.monotonic())
        (record,) = event["Records"]
        if len(seen) == 1:
            url = sqs.get_queue_url(QueueName="Work")["QueueUrl"]
            handle = record["receiptHandle"]
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=hidden)
            raise FunctionError({"errorType": DIED, "errorMessage": "exit status -9"})
        return {"batchItemFailures": []}

    send(cloud, "one")
    pump_to(invoke)
    eventually(lambda: len(seen) == 2)
    assert seen[1] - seen[0] > hidden - 0.5


@pytest.mark.full
def test_only_failed_messages_of_a_batch_are_retried(cloud: LocalCloud, pump_to: Callable[..., None]) -> None:
    seen: list[str] = []

    def invoke(_: str, event: dict[str, Any]) -> dict[str, Any]:
        bodies = {record["messageId"]: record["body"] for record in event["Records"]}
        again = [name for name, body in bodies.items() if body == "bad" and "bad" not in seen]
        seen.extend(bodies.values())
        return {"batchItemFailures": [{"itemIdentifier": name} for name in again]}

    send(cloud, "good", "bad", "fine")
    pump_to(invoke)
    eventually(lambda: seen.count("bad") == 2)
    time.sleep(1.2)
    assert sorted(seen) == ["bad", "bad", "fine", "good"]
