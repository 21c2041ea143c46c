"""Requests through the inference function, shown by the metrics route: from event to answer."""

import json
from types import ModuleType
from typing import Any

import pytest

from conftest import LoadFunction
from maas import bootstrap
from support import onnx_models, wire
from support.aws.engine import Cloud

GOOD = {"inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}]}
BAD = {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}


@pytest.fixture
def inference(cloud: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """With model `m`: version 1, and 2, to which alias `prod` points. It sees each change at once."""
    monkeypatch.setenv("MAAS_RESOLVE_TTL_SECONDS", "0")
    cloud.create_model("m")
    assert [cloud.deploy("m", onnx_models.linear()).status for _ in range(2)] == ["READY", "READY"]
    bootstrap.registry(cloud.settings).aliases.set("m", "prod", 2, "tester")
    return load_function("InferenceFunction")


def send(app: ModuleType, path: str, body: object) -> int:
    status: int = app.lambda_handler(wire.event(path, json.dumps(body).encode()), wire.CONTEXT)["statusCode"]
    return status


@pytest.fixture
def ask(load_function: LoadFunction) -> Any:
    app = load_function("ManagementFunction")

    def ask(query: str = "", model: str = "m") -> tuple[int, Any]:
        answer = app.lambda_handler(
            wire.event(f"/api/v1/models/{model}/metrics?{query}", b"", method="GET"), wire.CONTEXT
        )
        return answer["statusCode"], json.loads(answer["body"])

    return ask


def test_metrics_are_what_was_sent(inference: ModuleType, ask: Any) -> None:
    sent = [send(inference, "/v2/models/m/versions/prod/infer", GOOD) for _ in range(5)]
    sent += [send(inference, "/v2/models/m/versions/1/infer", GOOD) for _ in range(2)]
    sent += [send(inference, "/v2/models/m/versions/prod/infer", BAD)]
    sent += [send(inference, "/v1/models/m/labels/prod:predict", {"instances": [[1, 2, 3]]})]
    sent += [send(inference, "/v2/models/m/versions/7/infer", GOOD)]  # no such version: nothing to count it for
    assert sent == [200] * 7 + [400, 200, 404]
    inference.counters.flush()
    status, found = ask()
    assert status == 200, found
    first, second = found["series"]
    assert (first["version"], first["total"]["requests"], first["total"]["rows"]) == (1, 2, 4)
    assert (second["version"], second["total"]["requests"], second["total"]["rows"]) == (2, 7, 5 * 2 + 1 + 1)
    assert (second["total"]["refused"], second["total"]["reasons"]) == (1, {"InvalidTensor": 1})
    assert second["total"]["cold_loads"] == first["total"]["cold_loads"] == 1
    assert 0 < second["total"]["p50_ms"] <= second["total"]["p99_ms"]
    assert sum(point["requests"] for point in second["points"]) == 7
    assert found["total"]["requests"] == 9 and found["total"]["errors"] == 0
    assert found["prices"]["region"] == "us-east-1" and found["cost"]["usd_per_1000_requests"] > 0
    status, found = ask("by=alias")
    assert [(one["alias"], one["total"]["requests"]) for one in found["series"]] == [("", 2), ("prod", 7)]


@pytest.mark.full
def test_fleet_statistics_for_triton(inference: ModuleType) -> None:
    sent = [send(inference, "/v2/models/m/versions/1/infer", body) for body in (GOOD, GOOD, BAD)]
    assert sent == [200, 200, 400]
    inference.counters.flush()
    answer = inference.lambda_handler(
        wire.event("/v2/models/m/versions/1/stats?scope=fleet", b"", method="GET"), wire.CONTEXT
    )
    (found,) = json.loads(answer["body"])["model_stats"]
    assert (found["name"], found["version"], found["inference_count"]) == ("m", "1", 2)
    assert found["inference_stats"]["success"]["count"] == found["inference_stats"]["compute_infer"]["count"] == 2
    assert found["inference_stats"]["fail"]["count"] == 1 and found["inference_stats"]["success"]["ns"] > 0
    assert found["last_inference"] > 1.7e12
    for path in ("/v2/models/stats?scope=fleet", "/v2/models/m/stats?scope=all"):
        answer = inference.lambda_handler(wire.event(path, b"", method="GET"), wire.CONTEXT)
        assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (400, "scope")


@pytest.mark.full
def test_a_new_model_of_a_purged_name_starts_at_zero(inference: ModuleType, ask: Any, cloud: Cloud) -> None:
    assert send(inference, "/v2/models/m/infer", GOOD) == 200
    inference.counters.flush()
    assert ask()[1]["total"]["requests"] == 1
    registry = bootstrap.registry(cloud.settings)
    registry.models.delete("m", "tester")
    assert ask()[0] == 410
    assert registry.purge(bootstrap.bucket(cloud.settings).delete_prefix).model("m", "tester", float("inf"))
    assert ask()[0] == 404
    cloud.create_model("m")
    assert (ask()[1]["total"]["requests"], ask()[1]["series"]) == (0, [])
    version = cloud.deploy("m", onnx_models.linear())
    assert version.number == 3
    assert send(inference, "/v2/models/m/infer", GOOD) == 200
    inference.counters.flush()
    assert [(one["version"], one["total"]["requests"]) for one in ask()[1]["series"]] == [(3, 1)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=1767225600", "from"),
        ("from=2026-01-31T12:00:00", "from"),
        ("from=2020-01-31T12:00:00Z", "from"),
        ("to=2020-01-31T12:00:00Z", "from"),
        ("to=0001-01-01T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00%2B12:00", "from"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("to=9999-12-31T23:59:59-12:00", "to"),
        ("from=9999-12-31T23:00:00Z&to=9999-12-31T23:59:59Z", "to"),
        ("step=second", "step"),
        ("by=model", "by"),
    ],
)
def test_bad_questions_are_refused(query: str, field: str, cloud: Cloud, ask: Any) -> None:
    cloud.create_model("m")
    status, found = ask(query)
    assert (status, found["field"]) == (400, field), found
