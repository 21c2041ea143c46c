"""Rollouts on a running system: real counters, the real schedule, and clients that keep sending meanwhile.

A minute of the schedule lasts two seconds here. Environments add their counters to the table every ten seconds.
"""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from maas_client import MaasClient, NotAllowed
from maas_local import intrinsics
from maas_local.stack import LocalStack
from support import onnx_models
from support.aws.engine import ROOT
from support.system import kill_environments

pytestmark = pytest.mark.not_on("sam", "cloud", reason="schedules of two seconds are the local stack's alone")
CALLERS = 4
OPERATIONS = ROOT / "docs" / "operations.md"
IMPATIENT_US, PATIENT_US = 2_000_000, 20_000_000  # the time limits that callers send; a busy machine takes a second
STATED_SECONDS = (
    30  # ten until the counters are there, a tick, an alias that is followed within three; on a busy machine
)


@dataclass
class Traffic:
    """Requests to an alias by callers that never stop; each answer as (version, status)."""

    http: httpx.Client
    model: str
    timeout_us: int
    answers: list[tuple[str | None, int]] = field(default_factory=list)
    texts: Counter[str] = field(default_factory=Counter)

    def ask(self, timeout_us: int) -> httpx.Response:
        tensor = {"name": "count", "datatype": "INT64", "shape": [1], "data": [1_000_000]}
        body = {"inputs": [tensor], "parameters": {"timeout": timeout_us}}
        return self.http.post(f"/v2/models/{self.model}/versions/prod/infer", json=body)

    def send(self, until: threading.Event) -> None:
        while not until.is_set():
            answer = self.ask(self.timeout_us)
            self.answers.append((answer.headers.get("maas-version"), answer.status_code))
            if answer.status_code != 200:
                self.texts[answer.text[:200]] += 1
            until.wait(0.01)


@contextmanager
def sending(http: httpx.Client, model: str, timeout_us: int = PATIENT_US) -> Iterator[Traffic]:
    traffic, ended = Traffic(http, model, timeout_us), threading.Event()
    with ThreadPoolExecutor(CALLERS) as callers:  # an environment for each is there, and has the stable version
        list(callers.map(traffic.ask, [PATIENT_US] * CALLERS))
    threads = [threading.Thread(target=traffic.send, args=(ended,)) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def wait_for(
    http: httpx.Client, place: str, wanted: Callable[[dict[str, Any]], bool], seconds: float
) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = http.get(place).json()
        if wanted(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def start(http: httpx.Client, model: str, **plan: Any) -> str:
    """Its address."""
    plan = {"alias": "prod", "version": 2, "steps": [50, 100], "minutes_per_step": 0.1} | plan
    answer = http.post(f"/api/v1/models/{model}/rollouts", json=plan)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


class Listener:
    """A queue that hears an SNS topic and the events of rollouts."""

    def __init__(self, system: LocalStack) -> None:
        self._sqs, sns, events = (system.cloud.client(name) for name in ("sqs", "sns", "events"))
        self._url = self._sqs.create_queue(QueueName="rollouts-listener")["QueueUrl"]
        wanted = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = wanted["Attributes"]["QueueArn"]
        self.topic: str = sns.create_topic(Name="maas-rollouts")["TopicArn"]
        allows = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allows]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        pattern = json.dumps({"source": ["maas"], "detail-type": ["MaaS Rollout State Change"]})
        events.put_rule(Name="rollouts", EventPattern=pattern)
        events.put_targets(Rule="rollouts", Targets=[{"Id": "listener", "Arn": arn}])

    def heard(self, number: int, last: str) -> tuple[list[str], list[str]]:
        """What the topic and the bus told of the rollout, once both told `last`."""
        told: tuple[list[str], list[str]] = ([], [])
        deadline = time.monotonic() + 60
        while not all(last in one for one in told):
            assert time.monotonic() < deadline, told
            for message in self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
                body = json.loads(message["Body"])
                detail = body["detail"] if "detail" in body else json.loads(body["Message"])
                if detail["id"] == number:
                    told["detail" in body].append(detail["event"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return told


def prepare(maas: MaasClient, write: Any, model: str, canary: bytes) -> None:
    maas.push(write(onnx_models.quick()), model, alias="prod")
    maas.push(write(canary), model)


@pytest.mark.full
def test_a_failing_canary_goes_back_by_itself(
    maas: MaasClient, http: httpx.Client, write: Any, system: LocalStack
) -> None:
    """Version 2 takes minutes for what version 1 answers at once: its callers' time limit makes that 504."""
    prepare(maas, write, "breaking", onnx_models.slow())
    listener = Listener(system)
    with sending(http, "breaking", IMPATIENT_US) as traffic:
        begun = time.monotonic()
        place = start(http, "breaking", steps=[10, 100], notify=listener.topic)
        ended = wait_for(http, place, lambda found: found["status"] != "RUNNING", STATED_SECONDS)
        seconds = time.monotonic() - begun
        time.sleep(7)  # until every environment follows the alias, and what began before has its 504
        after = len(traffic.answers)
        time.sleep(1)
    assert ended["status"] == "ROLLED_BACK"
    assert ended["decision"]["reason"].startswith("errors: ")
    statuses = Counter(traffic.answers)
    assert {status for version, status in statuses if version == "1"} == {200}
    assert {status for version, status in statuses if version != "1"} == {504}, traffic.texts
    assert set(traffic.answers[after:]) == {("1", 200)}
    alias = maas.aliases.get("breaking", "prod")
    assert (alias.version, len(alias.routes)) == (1, 1)
    entry = maas.models.history("breaking", 1)[0]
    assert (entry.kind, entry.actor) == ("rollout.rolled_back", "maintenance")
    heard = listener.heard(ended["id"], "rollout.rolled_back")
    assert all(set(told) == {"rollout.started", "rollout.rolled_back"} for told in heard)
    print(f"{seconds:.1f} s, {statuses}")


@pytest.mark.full
def test_a_good_canary_reaches_all(maas: MaasClient, http: httpx.Client, write: Any) -> None:
    prepare(maas, write, "improving", onnx_models.quick())
    with sending(http, "improving") as traffic:
        place = start(http, "improving", steps=[20, 60, 100])
        ended = wait_for(http, place, lambda found: found["status"] != "RUNNING", 120)
        time.sleep(4)
        after = len(traffic.answers)
        time.sleep(1)
    assert ended["status"] == "SUCCEEDED", ended
    assert {status for _, status in traffic.answers} == {200}
    assert set(traffic.answers[after:]) == {("2", 200)}
    assert [entry.kind for entry in maas.models.history("improving", 3)] == [
        "rollout.succeeded", "rollout.promoted", "rollout.started",
    ]  # fmt: skip


@pytest.mark.full
def test_ticks_that_are_doubled_or_killed(
    maas: MaasClient, http: httpx.Client, write: Any, call: Callable[..., Any]
) -> None:
    """The schedule's own function is killed again and again, others look at the same rollout in the same seconds."""
    prepare(maas, write, "robust", onnx_models.quick())
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {"task": "rollouts"}}
    ended, killed = threading.Event(), Counter[int]()

    def kill() -> None:
        while not ended.wait(1.5):
            killed[kill_environments("MaintenanceFunction")] += 1

    def double() -> None:
        while not ended.wait(0.1):
            call("maintenance", "app", event)

    threads = [threading.Thread(target=work) for work in (kill, double, double)]
    with sending(http, "robust") as traffic:
        place = start(http, "robust", steps=[20, 60, 100])
        for thread in threads:
            thread.start()
        try:
            found = wait_for(http, place, lambda found: found["status"] != "RUNNING", 120)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert found["status"] == "SUCCEEDED", found
    assert killed[1] and {status for _, status in traffic.answers} == {200}
    kinds = [entry.kind for entry in maas.models.history("robust") if entry.kind.startswith("rollout.")]
    assert kinds == ["rollout.succeeded", "rollout.promoted", "rollout.started"]


@pytest.mark.full
def test_a_paused_one_stays(maas: MaasClient, http: httpx.Client, write: Any) -> None:
    prepare(maas, write, "waiting", onnx_models.slow())
    place = start(http, "waiting", steps=[10, 100])
    assert http.post(f"{place}/pause", json={"reason": "lunch"}).json()["status"] == "PAUSED"
    with sending(http, "waiting", IMPATIENT_US):
        time.sleep(15)
    found = http.get(place).json()
    assert (found["status"], found["decision"]) == ("PAUSED", None)
    assert len(maas.aliases.get("waiting", "prod").routes) == 2
    assert http.post(f"{place}/abort", json={}).json()["status"] == "ABORTED"


@pytest.mark.full
def test_an_alarm_breaches_through_the_function_of_the_docs(
    maas: MaasClient, http: httpx.Client, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key that may do nothing else."""
    (template,) = re.findall(r"```yaml\n(Parameters:.*?BreachFunction.*?)```", OPERATIONS.read_text(), re.DOTALL)
    function = intrinsics.load(template)["Resources"]["BreachFunction"]["Properties"]
    key = maas.keys.create("breach", ["rollouts:breach", "models:read"])
    values = {"MAAS_URL": maas.url, "MAAS_API_KEY": key.key, "MODEL": "alarmed", "ALIAS": "prod"}
    assert values.keys() == function["Environment"]["Variables"].keys()
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(function["Code"]["ZipFile"], names)
    prepare(maas, write, "alarmed", onnx_models.quick())
    place = start(http, "alarmed")
    alarm = {"AlarmName": "checkout", "NewStateValue": "OK", "NewStateReason": "Threshold Crossed"}
    for state, status in (("OK", "RUNNING"), ("ALARM", "ROLLED_BACK"), ("ALARM", "ROLLED_BACK")):
        event = {"Records": [{"Sns": {"Message": json.dumps(alarm | {"NewStateValue": state})}}]}
        names["lambda_handler"](event, None)
        assert http.get(place).json()["status"] == status
    entry = maas.models.history("alarmed", 1)[0]
    assert (entry.kind, entry.actor) == ("rollout.rolled_back", f"key:{key.id}")
    assert entry.after and entry.after["reason"] == "alarm checkout: Threshold Crossed"
    with MaasClient(maas.url, key.key) as alone, pytest.raises(NotAllowed):
        alone.rollouts.abort("alarmed", 1)


@pytest.mark.full
def test_bodies_that_are_none(maas: MaasClient, http: httpx.Client, write: Any) -> None:
    prepare(maas, write, "refusing", onnx_models.quick())
    place = "/api/v1/models/refusing/rollouts"
    for wrong, field_ in (
        ({"steps": [100]}, "steps"),
        ({"steps": [50, 25, 100]}, "steps"),
        ({"minutes_per_step": 0}, "minutes_per_step"),
        ({"guards": {"error_rate": 5}}, "guards.error_rate"),
        ({"guards": {"min_requests": 0}}, "guards.min_requests"),
        ({"guards": {"z": 1}}, "guards.z"),
        ({"on_breach": "cry"}, "on_breach"),
        ({"notify": "http://10.0.0.1/"}, "notify"),
        ({"alias": "UPPER"}, "alias"),
        ({"version": "2"}, "version"),
    ):
        answer = http.post(place, json={"alias": "prod", "version": 2} | wrong)
        assert (answer.status_code, answer.json()["field"]) == (400, field_), answer.text
    for status, wrong in ((404, {"alias": "none"}), (404, {"version": 9}), (409, {"version": 1})):
        assert http.post(place, json={"alias": "prod", "version": 2} | wrong).status_code == status
    assert http.get(f"{place}/7").status_code == 404
    assert http.post(f"{place}/7/breach", json={"reason": "x"}).status_code == 404
    assert http.get(place).json()["rollouts"] == []
