"""Shadows: sampled requests go through the queue to the shadow function, which compares and counts."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from maas import bootstrap
from maas.records.samples import Capture, Shadow
from maas.sampling import shadowing
from maas.sampling.sample import Sample
from support import onnx_models, wire
from support.sampled_requests import System


def test_another_version_mismatches(system: System) -> None:
    system.sample(shadow=Shadow(2, 100))
    (answer,) = system.ask("/v2/models/m/versions/ALIAS/infer")
    assert json.loads(answer["body"])["model_version"] == "1"
    messages = system.received()
    assert system.deliver(*messages) == []
    assert system.shadowed(2) == (1, 1, 0, 0)
    assert 15 < system.counts(2).largest_difference <= 32  # of 15 and 30
    assert system.keys("capture/") == system.keys("shadow/") == []


def test_an_equal_version_matches(system: System) -> None:
    system.sample(shadow=Shadow(3, 100, rtol=0, atol=0))
    system.ask("/v2/models/m/versions/ALIAS/infer")
    assert system.deliver(*system.received()) == []
    assert system.shadowed(3) == (1, 0, 0, 0)
    assert system.counts(3).largest_difference == 0
    assert system.counts(3).requests == 0  # a comparison is no request


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(("compare", "mismatched"), [("top1", 0), ("none", 0), ("values", 1)])
def test_what_is_compared(system: System, compare: str, mismatched: int) -> None:
    system.sample(shadow=Shadow(2, 100, compare))
    system.ask("/v2/models/m/versions/ALIAS/infer")
    system.deliver(*system.received())
    assert system.shadowed(2) == (1, mismatched, 0, 0)


def test_a_large_sample_goes_through_the_bucket(system: System) -> None:
    rows = np.ones((100_000, 3), np.float32)
    body = {"inputs": [{"name": "x", "shape": list(rows.shape), "datatype": "FP32", "data": rows.ravel().tolist()}]}
    system.sample(shadow=Shadow(2, 100))
    (answer,) = system.ask("/v2/models/m/versions/ALIAS/infer", body=body)
    assert answer["statusCode"] == 200
    (stored,) = system.keys("shadow/")
    (message,) = system.received()
    assert len(message["Body"]) < 200
    assert system.deliver(message) == []
    assert system.shadowed(2) == (1, 1, 0, 0)
    assert system.keys("shadow/") == []  # no version is left
    assert system.deliver(message) == []  # delivered again: the object is not there
    assert system.shadowed(2) == (1, 1, 0, 0), stored


def test_redelivery_changes_nothing(system: System) -> None:
    system.sample(shadow=Shadow(2, 100), capture=Capture(100, 1))
    system.ask(*["/v2/models/m/versions/ALIAS/infer"] * 3)
    messages = system.received()
    system.deliver(*messages)
    again = [message | {"Attributes": message["Attributes"] | {"ApproximateReceiveCount": "2"}} for message in messages]
    system.deliver(*again)
    assert len(set(system.keys("capture/"))) == 1
    system.deliver(again[0])  # in other company
    assert system.shadowed(2)[:2] == (3, 3)
    assert len({line["id"] for line in system.lines()}) == 3


def test_late_and_repeated_messages_are_dropped_and_counted(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.sample(shadow=Shadow(2, 100))
    system.ask(*["/v2/models/m/versions/ALIAS/infer"] * 3)
    repeated, hurried, late = system.received()
    assert system.deliver(repeated | {"Attributes": {"ApproximateReceiveCount": "2"}}) == []
    assert system.deliver(hurried, seconds=30) == []  # less than a run may take, and the end
    monkeypatch.setattr(shadowing, "MAX_AGE_SECONDS", -1)
    assert system.deliver(late) == []
    assert system.shadowed(2) == (0, 0, 0, 3)


@pytest.mark.full
def test_a_shadow_that_fails_is_a_mismatch(system: System) -> None:
    of_another_shape = onnx_models.linear(features=4)
    with_another_output = onnx_models.identities({"x": 1}, [2, 3])
    for content in (of_another_shape, with_another_output):
        version = system.cloud.deploy("m", content).number
        system.sample(shadow=Shadow(version, 100))
        system.ask("/v2/models/m/versions/ALIAS/infer")
        assert system.deliver(*system.received()) == []
        assert system.shadowed(version) == (1, 1, 1, 0)


@pytest.mark.full
def test_a_deleted_shadow_is_dropped(system: System) -> None:
    version = system.cloud.deploy("m", onnx_models.linear(3.0)).number
    system.sample(shadow=Shadow(version, 100))
    system.ask("/v2/models/m/versions/ALIAS/infer")
    messages = system.received()
    bootstrap.registry(system.cloud.settings).versions.delete("m", version, "tester", force=True)
    assert system.deliver(*messages) == []
    assert system.shadowed(version) == (0, 0, 0, 1)


BROKEN = [
    "",
    "no JSON",
    "[]",
    "{}",
    '{"sample": 1}',
    '{"sample": "AAAA"}',
    '{"stored": "../models/m", "s3_version": null}',
]


def test_broken_messages_are_not_delivered_again(system: System) -> None:
    system.sample(shadow=Shadow(2, 100), capture=Capture(100, 1))
    system.ask("/v2/models/m/versions/ALIAS/infer")
    (whole,) = system.received()
    sample = base64.b64decode(json.loads(whole["Body"])["sample"])
    halves = [sample[:end] for end in (3, 10, len(sample) // 2, len(sample) - 1)] + [sample + b"x"]
    bodies = [*BROKEN, *(json.dumps({"sample": base64.b64encode(half).decode()}) for half in halves)]
    bodies.append(json.dumps({"stored": "0" * 32, "s3_version": None}))
    broken = [whole | {"Body": body, "MessageId": str(index)} for index, body in enumerate(bodies)]
    assert system.deliver(*broken, whole) == []
    assert system.shadowed(2) == (1, 1, 0, 0)
    assert len(system.lines()) == 1


@pytest.mark.full
def test_a_queue_that_does_not_answer_takes_nothing_from_the_caller(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.sample(shadow=Shadow(2, 100), capture=Capture(100, 1))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    answers = system.ask(*["/v2/models/m/versions/ALIAS/infer"] * 2)
    assert [answer["statusCode"] for answer in answers] == [200, 200]
    assert system.shadowed(2) == (0, 0, 0, 2)
    assert (system.counts(1).capture_dropped, system.counts(1).requests) == (2, 2)


@pytest.mark.full
def test_a_share_of_requests_is_sampled(system: System) -> None:
    system.sample(capture=Capture(30, 1), shadow=Shadow(3, 10))
    system.ask(*["/v2/models/m/versions/ALIAS/infer"] * 200)
    samples = [Sample.of(base64.b64decode(json.loads(one["Body"])["sample"])).samples for one in system.received()]
    captured, dropped = sum(one.capture is not None for one in samples), system.counts(1).capture_dropped
    shadowed = sum(one.shadow is not None for one in samples) + system.counts(3).shadow_dropped
    assert len(samples) == captured  # those with a shadow are among them
    assert 30 < captured + dropped < 95  # of 200, all but once in a million times
    assert 3 < shadowed < 45


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"shadow": {"version": 2}}, "shadow.percent"),
    ({"shadow": {"version": 2, "percent": 0}}, "shadow.percent"),
    ({"shadow": {"version": 2, "percent": 100.5}}, "shadow.percent"),
    ({"shadow": {"version": 2, "percent": True}}, "shadow.percent"),
    ({"shadow": {"version": "2", "percent": 5}}, "shadow.version"),
    ({"shadow": {"version": 2, "percent": 5, "compare": "top5"}}, "shadow.compare"),
    ({"shadow": {"version": 2, "percent": 5, "compare": {"rtol": -1}}}, "shadow.compare"),
    ({"shadow": {"version": 2, "percent": 5, "alias": "x"}}, "shadow.alias"),
    ({"shadow": 5}, "shadow"),
    ({"capture": {"percent": 5, "days": 5}}, "capture.days"),
    ({"capture": {"percent": 5, "what": "all"}}, "capture.what"),
    ({"capture": {"percent": 5, "redact": "x"}}, "capture.redact"),
    ({"capture": {"percent": 5, "redact": [""]}}, "capture.redact"),
]


@pytest.mark.full
def test_what_an_alias_cannot_copy(system: System) -> None:
    app = system.load("ManagementFunction")

    def put(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        event = wire.event(f"/api/v1/models/m/aliases/{system.alias}", json.dumps(body).encode(), {}, "PUT")
        event["requestContext"]["authorizer"] = {"lambda": {"actor": "key:1", "scopes": "models:write"}}
        answer = app.lambda_handler(event, wire.CONTEXT)
        return answer["statusCode"], json.loads(answer["body"])

    for body, field in REFUSED:
        status, document = put(body)
        assert (status, document["field"].startswith(field)) == (400, True), (body, document)
    assert put({"shadow": {"version": 99, "percent": 5}})[0] == 404
    status, made = put({"shadow": {"version": 2, "percent": 0.5, "compare": "top1"}, "capture": {"percent": 5}})
    assert (status, made["version"], made["shadow"]) == (200, 1, {"version": 2, "percent": 0.5, "compare": "top1"})
    assert made["capture"] == {"percent": 5, "what": "both", "days": 7, "redact": []}
    assert put({"shadow": None})[1]["shadow"] is None
    assert put({"version": 1})[1]["capture"] == made["capture"]
