"""Captured requests: through the queue to the shadow function, which writes them, redacted, to files."""

import base64
import json
import re
from typing import Any

import pytest

from maas.records.samples import Capture, Shadow
from maas.sampling.sample import Sample
from support import wire
from support.sampled_requests import BODY, System, X


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
