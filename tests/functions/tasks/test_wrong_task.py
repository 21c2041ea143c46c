"""Routes and options for a task that the model does not have: 400 that says which one it has, in the route's shape."""

from types import ModuleType
from typing import Any

import orjson
import pytest

from maas.tasks.limits import TaskLimits
from support import onnx_models, wire
from support.exports import small
from support.exports.serving import function
from support.exports.small import text_export

MODELS = {"embeddings": "embeddings", "rerank": "rerank", "classes": "text-classification", "colours": None}
HAS = {"embeddings": "the task embeddings", "rerank": "the task rerank", "classes": "the task text-classification"}
HAS |= {"colours": "the task image-classification", "plain": "no task"}
RANK = {"query": "a", "documents": ["a"], "texts": ["a"]}
ROUTES: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "/v1/embeddings": ({"input": "a"}, ("embeddings",), "a model with the task embeddings or image-embeddings"),
    "/v1/rerank": (RANK, ("rerank",), "a model with the task rerank"),
    "/v2/rerank": (RANK, ("rerank",), "a model with the task rerank"),
    "/models/{}/embed": ({"inputs": "a"}, ("embeddings",), "a model with the task embeddings"),
    "/models/{}/rerank": (RANK, ("rerank",), "a model with the task rerank"),
    "/models/{}/predict": ({"inputs": "a"}, ("classes",), "a model with the task text-classification"),
    "/models/{}/tokenize": ({"inputs": "a"}, ("embeddings", "rerank", "classes"), "one that takes text"),
}
CASES = [(route, model) for route, (_, fitting, _) in ROUTES.items() for model in HAS if model not in fitting]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    exports = {name: text_export(task).files for name, task in MODELS.items() if task}
    exports |= {"colours": small.image_export(), "plain": {"model.onnx": onnx_models.linear()}}
    return function(exports, tmp_path_factory.mktemp("exports"), TaskLimits())


def post(app: ModuleType, path: str, body: Any) -> tuple[int, Any]:
    answer = app.lambda_handler(wire.event(path, orjson.dumps(body)), wire.CONTEXT)
    return answer["statusCode"], orjson.loads(answer["body"])


@pytest.mark.parametrize(("route", "model"), CASES)
def test_route_names_the_task_of_the_model(app: ModuleType, route: str, model: str) -> None:
    body, _, expected = ROUTES[route]
    status, refused = post(app, route.format(model), body | {"model": model})
    said = f"model: '{model}' has {HAS[model]}, expected {expected}"
    assert status == 400
    if "{}" in route:
        assert refused == {"error": said, "field": "model", "error_type": "Validation"}
    else:
        error = {"message": said, "type": "invalid_request_error", "param": "model", "code": None}
        assert refused == {"error": error}


@pytest.mark.parametrize("model", HAS)
def test_task_of_the_request_is_not_the_models(app: ModuleType, model: str) -> None:
    """As our client asks: `maas.embed` sends its task, so that no input has to be wrong first."""
    inputs = [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]
    for task in ("fill-mask", "", 7, ["embeddings"], {"raw": 1}):
        for path, body in (
            (f"/v2/models/{model}/infer", {"inputs": inputs}),
            (f"/v1/models/{model}:predict", {"instances": ["a"]}),
        ):
            status, refused = post(app, path, body | {"parameters": {"task": task}})
            assert (status, refused["field"]) == (400, "parameters.task"), refused
            assert f"but the model has {HAS[model]}: expected" in refused["error"]


@pytest.mark.parametrize("parameters", [[1] * 5000, {"task": [1] * 5000}, {"variant": [0.5] * 5000}, [], "", False, 7])
@pytest.mark.parametrize("model", ["embeddings", "plain"])
def test_parameters_of_another_type(app: ModuleType, model: str, parameters: Any) -> None:
    """Long arrays of numbers are arrays of NumPy, which are neither true nor false."""
    instances = ["a"] if model == "embeddings" else [[1, 2, 3]]
    body = {"instances": instances, "parameters": parameters}
    status, refused = post(app, f"/v1/models/{model}:predict", body)
    assert status == 400 and refused["field"].startswith("parameters"), refused
    inputs = [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]
    assert post(app, f"/v2/models/{model}/infer", {"inputs": inputs, "parameters": parameters})[0] == 400


def test_raw_of_a_model_without_a_task(app: ModuleType) -> None:
    body = {"instances": [[1, 2, 3]], "parameters": {"task": "raw"}}
    assert post(app, "/v1/models/plain:predict", body)[0] == 200
