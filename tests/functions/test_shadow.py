"""Sampled requests: from the inference function through the queue to the shadow function, which counts and captures."""

import base64
import gzip
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conftest import LoadFunction
from maas import bootstrap
from maas.aws.clients import client
from maas.metrics.counts import Counts
from maas.records.samples import Capture, Samples, Shadow
from maas.registry.aliases import Given
from maas.sampling import shadowing
from maas.sampling.sample import Sample
from maas.serving.oip_reply import OutputTensor
from maas_local.queues import event_of
from support import onnx_models, wire
from support.aws.engine import Cloud, create_cloud

X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
BODY = {"id": "7", "inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "data": X}]}
HOUR = timedelta(hours=1)
NUMBERS = itertools.count()


class System:
    """A model `m`: version 2 answers otherwise than version 1, version 3 as that does.

    Each test has an alias of its own, which leads to version 1; `ALIAS` in a path stands for it.
    """

    def __init__(self, cloud: Cloud, load: LoadFunction) -> None:
        self.cloud, self.load, self.alias = cloud, load, f"a{next(NUMBERS)}"
        self.aliases = bootstrap.registry(cloud.settings).aliases
        self.sqs = client("sqs", "us-east-1", cloud.settings.endpoint_url)
        self.aliases.set("m", self.alias, 1, "tester")
        self.received()
        self._before = set(self.all_keys())

    def sample(self, **samples: Any) -> None:
        given: Given = samples  # type: ignore[assignment]
        self.aliases.set("m", self.alias, None, "tester", samples=given)

    def ask(self, *paths: str, body: Any = BODY) -> list[dict[str, Any]]:
        """The answers of the inference function; their samples are on their way afterwards."""
        app = self.load("InferenceFunction")
        whole = [path.replace("ALIAS", self.alias) for path in paths]
        answers = [app.lambda_handler(wire.event(path, json.dumps(body).encode()), wire.CONTEXT) for path in whole]
        app.after_answer.finish(10)
        return answers

    def received(self) -> list[dict[str, Any]]:
        """The messages that are in the queue, which is empty afterwards."""
        url, found = self.cloud.settings.shadow_queue_url, []
        while some := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            for one in some:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            found += some
        return found

    def deliver(self, *messages: dict[str, Any], seconds: int = 180) -> list[str]:
        """The ids of messages that the shadow function wants again; it has so much time."""
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
        app = self.load("ShadowFunction")
        answer = app.lambda_handler(event_of("Samples", list(messages)), context)
        app.after_answer.finish(10)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def counts(self, version: int) -> Counts:
        now = datetime.now(UTC)
        found = bootstrap.metrics(self.cloud.settings).counts("m", self.alias, now - HOUR, now + HOUR)
        return found.get(version, Counts())

    def shadowed(self, version: int) -> tuple[int, int, int, int]:
        found = self.counts(version)
        return found.shadow_compared, found.shadow_mismatched, found.shadow_failed, found.shadow_dropped

    def lines(self) -> list[dict[str, Any]]:
        return [line for key in self.keys("capture/") for line in self.lines_of(key)]

    def lines_of(self, key: str) -> list[dict[str, Any]]:
        body = self.cloud.s3.get_object(Bucket=self.cloud.settings.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def keys(self, prefix: str) -> list[str]:
        """Of the object versions that came since the test began."""
        return [key for key in self.all_keys() if key.startswith(prefix) and key not in self._before]

    def all_keys(self) -> list[str]:
        found = self.cloud.s3.list_object_versions(Bucket=self.cloud.settings.bucket)
        return [one["Key"] for one in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]


@pytest.fixture(scope="module")
def cloud(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """One for all tests here, since each deployment takes a second."""
    made = create_cloud(moto_url, tmp_path_factory.mktemp("maas"))
    made.create_model("m")
    for weight in (1.0, 2.0, 1.0):
        made.deploy("m", onnx_models.linear(weight))
    return made


@pytest.fixture
def system(cloud: Cloud, load_function: LoadFunction) -> System:
    return System(cloud, load_function)


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


def test_capture(system: System) -> None:
    system.sample(capture=Capture(100, 7))
    system.ask(
        "/v2/models/m/versions/ALIAS/infer", "/v2/models/m/versions/1/infer", "/v2/models/m/versions/ALIAS/infer"
    )
    messages = system.received()
    assert len(messages) == 2  # a version number has no alias
    assert system.deliver(*messages) == []
    (key,) = system.keys("capture/")
    assert re.fullmatch(r"capture/m/1/\d{4}/\d\d/\d\d/\d\d/\d{4}-[0-9a-f]{32}\.jsonl\.gz", key)
    tags = system.cloud.s3.get_object_tagging(Bucket=system.cloud.settings.bucket, Key=key)["TagSet"]
    assert tags == [{"Key": "capture-days", "Value": "7"}]
    first, second = system.lines()
    assert first["id"] != second["id"]
    assert first["at"] <= second["at"]
    assert {name: first[name] for name in ("model", "version", "alias", "caller", "parameters")} == {
        "model": "m",
        "version": 1,
        "alias": system.alias,
        "caller": "key:0123456789abcdef",
        "parameters": {},
    }
    flat = [value for row in X for value in row]
    assert first["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [2, 3], "data": flat}]
    assert first["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [6.0, 6.0, 15.0, 15.0]}]
    assert system.counts(1).captured == 2


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


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("what", "redact", "inputs", "outputs"),
    [
        ("both", ("x",), [], ["y"]),
        ("inputs", (), ["x"], None),
        ("outputs", ("z",), None, ["y"]),
        ("both", ("x", "y", "secret"), [], []),
    ],
)
@pytest.mark.parametrize("shadowed", [True, False])
def test_redaction(
    system: System,
    what: str,
    redact: tuple[str, ...],
    inputs: list[str] | None,
    outputs: list[str] | None,
    shadowed: bool,
) -> None:
    system.sample(capture=Capture(100, 1, what, redact), shadow=Shadow(3, 100) if shadowed else None)
    system.ask("/v2/models/m/versions/ALIAS/infer", body=BODY | {"parameters": {"secret": "s3cr3t", "open": 1}})
    (message,) = system.received()
    if not shadowed:
        sample = Sample.of(base64.b64decode(json.loads(message["Body"])["sample"]))
        assert [one.name for one in sample.inputs] == (inputs or [])
    system.deliver(message)
    (line,) = system.lines()
    assert [line.get(name) and [one["name"] for one in line[name]] for name in ("inputs", "outputs")] == [
        inputs,
        outputs,
    ]
    assert line["parameters"] == {"open": 1} | ({} if "secret" in redact else {"secret": "s3cr3t"})
    assert system.shadowed(3) == ((1, 0, 0, 0) if shadowed else (0, 0, 0, 0))


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


def test_capture_is_tried_again(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.sample(shadow=Shadow(2, 100), capture=Capture(100, 1))
    system.ask("/v2/models/m/versions/ALIAS/infer")
    (message,) = system.received()
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
        assert system.deliver(message) == [message["MessageId"]]
    assert system.deliver(message | {"Attributes": {"ApproximateReceiveCount": "2"}}) == []
    assert len(system.lines()) == 1
    assert system.shadowed(2) == (0, 0, 0, 1)


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


PATHS = {
    "/v1/models/m/labels/ALIAS:predict": {"instances": X},
    "/invocations?version=ALIAS": {"instances": X},
    "/v2/models/m/versions/ALIAS/infer": BODY,
}


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(("path", "body"), PATHS.items())
def test_every_protocol_is_sampled_alike(system: System, path: str, body: Any) -> None:
    system.sample(capture=Capture(100, 1))
    app_headers = {"x-amzn-sagemaker-target-model": "m", "content-type": "application/json"}
    app, path = system.load("InferenceFunction"), path.replace("ALIAS", system.alias)
    answer = app.lambda_handler(wire.event(path, json.dumps(body).encode(), app_headers), wire.CONTEXT)
    assert answer["statusCode"] == 200, answer
    app.after_answer.finish(10)
    system.deliver(*system.received())
    (line,) = system.lines()
    assert line["inputs"][0]["data"] == [value for row in X for value in row]
    assert line["outputs"][0]["data"] == [6.0, 6.0, 15.0, 15.0]


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


def test_samples_keep_every_kind_of_value() -> None:
    arrays = {
        "text": np.array([["a", "ü\x00"], ["", "\n"]], object),
        "image": np.array([b"\x00\xff", b""], object),
        "ids": np.array([[1, 2], [3]], object),
        "nan": np.array([np.nan, np.inf, -0.0], np.float64),
        "none": np.empty((0, 3), np.int8),
        "scalar": np.array(True),
    }
    datatypes = {"nan": "FP64", "none": "INT8", "scalar": "BOOL"}
    tensors = [OutputTensor(name, datatypes.get(name, "BYTES"), array) for name, array in arrays.items()]
    sample = Sample("0" * 32, 5, "m", 1, "a", Samples(Shadow(2, 0.5)), "", None, {"p": [1]}, tensors, tensors[3:])
    found = Sample.of(sample.packed())
    assert (found.samples, found.parameters, len(found.outputs)) == (sample.samples, {"p": [1]}, 3)
    for tensor in found.inputs:
        assert tensor.array.dtype == arrays[tensor.name].dtype
        assert tensor.array.shape == arrays[tensor.name].shape
        assert tensor.array.tobytes() == arrays[tensor.name].tobytes() or tensor.array.dtype == object
        if tensor.array.dtype == object:
            assert tensor.array.tolist() == arrays[tensor.name].tolist()


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
