"""`POST /v2/models/{m}/profile`: a model measured at the shapes that a caller names."""

import json
from types import ModuleType
from typing import Any

import pytest
from onnx import TensorProto

from support import onnx_models, wire

MODELS = {
    "linear": onnx_models.linear(),
    "pair": onnx_models.identities({"a": TensorProto.FLOAT, "b": TensorProto.INT64}, ["n", "m"]),
    "anonymous": onnx_models.identities({"a": TensorProto.FLOAT, "b": TensorProto.FLOAT}, ["?", 2]),
    "weights": onnx_models.keeping_initializers(),
    "rows": onnx_models.needs_two_rows(),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    paths = {name: tmp_path_factory.mktemp(name) / "model.onnx" for name in MODELS}
    for name, path in paths.items():
        path.write_bytes(MODELS[name])
    return wire.inference_function(paths, list(MODELS))


def profile(app: ModuleType, model: str, body: Any, version: str = "") -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    event = wire.event(f"/v2/models/{model}{version}/profile", content, headers)
    answer = app.lambda_handler(event, wire.CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_profile_at_a_shape(app: ModuleType, version: str) -> None:
    status, found = profile(app, "linear", {"shapes": {"x": [7, 3]}, "runs": 3}, version)
    assert status == 200, found
    assert found["run_ms"] > 0 and found["cost_per_million_usd"] > 0.2
    del found["run_ms"], found["cost_per_million_usd"]
    assert found == {
        "model_name": "linear",
        "model_version": "1",
        "shapes": {"x": [7, 3]},
        "runs": 3,
        "memory_mb": 1769,
    }


def test_runs_by_default(app: ModuleType) -> None:
    assert profile(app, "linear", {"shapes": {"x": [1, 3]}})[1]["runs"] == 5


def test_sizes_follow_from_symbols_of_other_inputs(app: ModuleType) -> None:
    status, found = profile(app, "pair", {"shapes": {"in_a": [2, 5]}})
    assert (status, found["shapes"]) == (200, {"in_a": [2, 5], "in_b": [2, 5]})
    status, found = profile(app, "anonymous", {"shapes": {"in_a": [3, 2]}})
    assert (status, found["field"]) == (400, "shapes.in_b")


def test_optional_inputs_keep_their_default(app: ModuleType) -> None:
    assert profile(app, "weights", {"shapes": {"x": [4, 3]}})[1]["shapes"] == {"x": [4, 3]}


@pytest.mark.parametrize(
    ("model", "body", "field", "said"),
    [
        ("linear", {"shapes": {"x": [7, 4]}}, "shapes.x", "got [7, 4], expected [-1, 3]"),
        ("linear", {"shapes": {"x": [7]}}, "shapes.x", "got [7], expected [-1, 3]"),
        ("linear", {"shapes": {}}, "shapes.x", "expected sizes for [-1, 3]"),
        ("linear", {"shapes": {"x": [1, 3], "z": [1]}}, "shapes.z", "expected one of ['x']"),
        ("pair", {"shapes": {"in_a": [2, 5], "in_b": [3, 5]}}, "shapes.in_b", "expected n=2"),
        ("linear", {"shapes": {"x": [100_000_000, 3]}}, "shapes", "got inputs of 1,200,000,000 bytes"),
        ("linear", {"shapes": {"x": [10**30, 3]}}, "shapes", "expected at most 67,108,864"),
        ("linear", {"shapes": {"x": [0, 3]}}, "shapes.x.0", "greater than or equal to 1"),
        ("linear", {"shapes": {"x": ["7", 3]}}, "shapes.x.0", "valid integer"),
        ("linear", {"shapes": {"x": [1, 3]}, "runs": 21}, "runs", "less than or equal to 20"),
        ("linear", {"shapes": {"x": [1, 3]}, "run": 1}, "run", "not permitted"),
        ("linear", {}, "shapes", "required"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    app: ModuleType, model: str, body: dict[str, Any], field: str, said: str
) -> None:
    status, found = profile(app, model, body)
    assert (status, found["field"]) == (400, field), found
    assert said in found["error"]


def test_shape_that_the_graph_refuses_is_400(app: ModuleType) -> None:
    status, found = profile(app, "rows", {"shapes": {"x": [1, 2]}})
    assert (status, "onnxruntime cannot run these inputs" in found["error"]) == (400, True)
    assert profile(app, "rows", {"shapes": {"x": [2, 2]}})[0] == 200


def test_unknown_model_is_404(app: ModuleType) -> None:
    assert profile(app, "nowhere", {"shapes": {}})[0] == 404
