"""Events of real S3 objects, from moto to a function, and how a stack stops."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_client.errors import MaasError
from maas_local.cloud import LocalCloud
from maas_local.events import WORKERS, EventPump
from maas_local.resources import NAME
from maas_local.stack import LocalStack
from maas_local.template import Template
from support import local_project

RESOURCES = """
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/one
      Timeout: 300
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
      Events:
        Http: {Type: HttpApi, Properties: {Path: /one, Method: ANY}}
        Mark:
          Type: EventBridgeRule
          Properties:
            Pattern:
              source: [aws.s3]
              detail-type: [Object Created]
              detail: {bucket: {name: [!Ref Bucket]}, object: {key: [{wildcard: "in/*/mark"}]}}
  Two:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/one
      Events:
        Mark:
          Type: EventBridgeRule
          Properties:
            Pattern:
              source: [aws.s3]
              detail-type: [Object Created]
              detail: {bucket: {name: [!Ref Bucket]}, object: {key: [{wildcard: "in/*/other-mark"}]}}
  Dead: {Type: AWS::SQS::Queue}
"""
HANDLER = """
import pathlib, time

def lambda_handler(event, context):
    if "detail" in event:
        pathlib.Path("started").touch()
        time.sleep(300)
    return "here"
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return local_project.write(tmp_path / "project", RESOURCES, HANDLER)


@pytest.fixture
def cloud(template: Path) -> Iterator[LocalCloud]:
    with LocalCloud.start(template) as cloud:
        yield cloud


class Recorder:
    """An `invoke` whose first `failures` calls fail."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[dict[str, Any]] = []
        self.enough = threading.Event()
        self._failures = failures

    def __call__(self, function: str, event: dict[str, Any]) -> None:
        assert function == "One"
        self.calls.append(event)
        if len(self.calls) <= self._failures:
            raise RuntimeError("not now")
        self.enough.set()


def put(cloud: LocalCloud, *keys: str) -> None:
    for key in keys:
        cloud.client("s3").put_object(Bucket=NAME, Key=key, Body=b"12345")


def test_matching_object_event_has_eventbridges_form(cloud: LocalCloud, template: Path) -> None:
    recorder = Recorder()
    pump = EventPump(cloud, Template.load(template), recorder)
    pump.start()
    put(cloud, "in/a/other", "out/a/mark", "in/a/mark")
    assert recorder.enough.wait(60)
    pump.stop()
    (event,) = recorder.calls
    assert (event["source"], event["detail-type"], event["detail"]["bucket"]) == (
        "aws.s3",
        "Object Created",
        {"name": NAME},
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    stored = event["detail"]["object"]
    assert (stored["key"], stored["size"], stored["etag"]) == ("in/a/mark", 5, "827ccb0eea8a706c4c34a16891f84e7b")
    assert stored["version-id"] not in (None, "null")  # the bucket is versioned


@pytest.mark.full
def test_failing_event_is_retried_then_sent_to_the_failure_queue(cloud: LocalCloud, template: Path) -> None:
    recorder = Recorder(failures=99)
    pump = EventPump(cloud, Template.load(template), recorder, retry_seconds=0.01)
    pump.start()
    put(cloud, "in/a/mark")
    sqs = cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName="Dead")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    pump.stop()
    record = json.loads(message["Body"])
    assert len(recorder.calls) == 2
    assert record["requestPayload"] == recorder.calls[0]
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"] == {"errorType": "RuntimeError", "errorMessage": "not now"}


@pytest.mark.full
def test_slow_function_does_not_delay_the_events_of_another(cloud: LocalCloud, template: Path) -> None:
    """As deployments of large models, and the planner of jobs."""
    slow, other, over = threading.Semaphore(0), threading.Event(), threading.Event()

    def invoke(function: str, _: object) -> None:
        if function == "Two":
            other.set()
            return
        slow.release()
        over.wait(60)

    pump = EventPump(cloud, Template.load(template), invoke)
    pump.start()
    put(cloud, *(f"in/{number}/mark" for number in range(WORKERS + 1)))
    assert all(slow.acquire(timeout=10) for _ in range(WORKERS))
    put(cloud, "in/a/other-mark")
    came = other.wait(10)
    over.set()
    pump.stop()
    assert came


@pytest.mark.full
def test_aws_endpoint_url_replaces_moto(cloud: LocalCloud, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    put(cloud, "kept")
    with LocalCloud.start(template) as other:  # everything is there already
        assert (other.url, other.credentials["AWS_ACCESS_KEY_ID"]) == (cloud.url, "mine")
        assert other.client("s3").head_object(Bucket=NAME, Key="kept")["ContentLength"] == 5


@pytest.mark.full
def test_unusable_host_is_an_error(template: Path) -> None:
    with pytest.raises(MaasError, match=r"did not start on 203\.0\.113\.1"), LocalCloud.start(template, "203.0.113.1"):
        pass


@pytest.mark.full
def test_stack_stops_at_once_while_an_event_runs(template: Path) -> None:
    with LocalStack.start(template) as stack:
        put(stack.cloud, "in/a/mark")
        started = template.parent / "functions" / "one" / "started"
        deadline = time.monotonic() + 60
        while not started.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert started.exists()
        ending = time.monotonic()
    assert time.monotonic() - ending < 50  # the event takes 300
    with pytest.raises(httpx.ConnectError):
        httpx.get(stack.url)


def children(parent: int) -> list[str]:
    return subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True).stdout.split()


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_maas_local_prints_its_url_and_cleans_up(template: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", "from maas_local.stack import serve; serve(port=0)"]
    environment = os.environ | {"TMPDIR": str(template.parent.parent), "COLUMNS": "200"}
    with subprocess.Popen(command, cwd=template.parent, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found
        assert httpx.get(f"{found[0]}/one", timeout=60).json() == "here"
        pids = children(process.pid)
        assert len(pids) == 2  # moto and one execution environment
        process.send_signal(number)
        said = process.stdout.read()
        assert process.wait(60) == 0
    assert "Nothing is kept" in said
    assert f"maas push model.onnx --name mine --url {found[0]}" in said
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not list(template.parent.parent.glob("maas-local-*"))
