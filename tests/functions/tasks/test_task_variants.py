"""The quantised form of a version with a task, asked for on the routes of every client."""

from types import ModuleType
from typing import Any

import numpy as np
import orjson
import pytest

from maas.tasks.limits import TaskLimits
from support import wire
from support.exports.serving import SCHEME, function
from support.exports.small import text_export

TEXTS = ["The cat sat on the mat.", "Paris is the capital of France."]
TASKS = ("embeddings", "rerank", "text-classification", "fill-mask")
RANKED = {"query": "a cat"}
ROUTES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "openai": ("/v1/embeddings", {"model": "embeddings", "input": TEXTS}, lambda said: said["data"][0]["embedding"]),
    "cohere v2": (
        "/v2/rerank",
        {"model": "rerank@prod", "documents": TEXTS} | RANKED,
        lambda said: [one["relevance_score"] for one in said["results"]],
    ),
    "cohere v1": (
        "/v1/rerank",
        {"model": "rerank", "documents": TEXTS} | RANKED,
        lambda said: [one["relevance_score"] for one in said["results"]],
    ),
    "tei embed": ("/models/embeddings/embed", {"inputs": TEXTS}, lambda said: said[0]),
    "tei rerank": (
        "/models/rerank/rerank",
        {"texts": TEXTS} | RANKED,
        lambda said: [one["score"] for one in said],
    ),
    "tei predict": (
        "/models/text-classification/predict",
        {"inputs": TEXTS[0]},
        lambda said: sorted(one["score"] for one in said),
    ),
}
V1 = "/v1/models/embeddings:predict"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    exports = {task: text_export(task).files for task in TASKS}
    return function(exports, tmp_path_factory.mktemp("exports"), TaskLimits(), quantized=TASKS[:-1])


def post(app: ModuleType, path: str, body: Any) -> tuple[int, Any]:
    answer = app.lambda_handler(wire.event(path, orjson.dumps(body)), wire.CONTEXT)
    return answer["statusCode"], orjson.loads(answer["body"])


def expected(app: ModuleType, model: str, variant: str | None) -> Any:
    """The numbers by the Open Inference Protocol."""
    given = {"text": TEXTS[:1] if model == "text-classification" else TEXTS}
    if model == "rerank":
        given["query"] = [RANKED["query"]]
    inputs = [{"name": name, "shape": [len(data)], "datatype": "BYTES", "data": data} for name, data in given.items()]
    parameters = {} if variant is None else {"variant": variant}
    status, said = post(app, f"/v2/models/{model}/infer", {"inputs": inputs, "parameters": parameters})
    assert status == 200, said
    assert said.get("parameters") == (None if variant is None else {"variant": variant})
    found = {one["name"]: np.reshape(one["data"], one["shape"]) for one in said["outputs"]}
    if model == "embeddings":
        return found["embedding"][0]
    return np.sort(found["scores"][0]) if "scores" in found else -np.sort(-found["score"])


@pytest.mark.parametrize("route", ROUTES)
def test_route_answers_with_the_variant(app: ModuleType, route: str) -> None:
    path, body, numbers = ROUTES[route]
    model = body.get("model", path.split("/")[2]).partition("@")[0]
    came = {}
    for variant in (None, SCHEME):
        status, said = post(app, path, body | {"variant": variant})
        assert status == 200, said
        came[variant] = numbers(said)
        np.testing.assert_allclose(came[variant], expected(app, model, variant), atol=1e-6)
    assert np.abs(np.subtract(came[None], came[SCHEME])).max() > 1e-5


def test_v1_answers_with_the_variant(app: ModuleType) -> None:
    status, said = post(app, V1, {"instances": TEXTS, "parameters": {"variant": SCHEME}})
    assert status == 200, said
    np.testing.assert_allclose(said["predictions"][0], expected(app, "embeddings", SCHEME), atol=1e-6)
    body = {"instances": TEXTS, "parameters": {"variant": SCHEME}}
    assert post(app, "/invocations?model=embeddings", body) == (200, said)


def test_variant_of_the_raw_graph(app: ModuleType) -> None:
    ids = {"input_ids": [[2, 5, 3]], "attention_mask": [[1, 1, 1]], "token_type_ids": [[0, 0, 0]]}
    came = []
    for options in ({}, {"variant": SCHEME}):
        body = {"inputs": ids, "parameters": {"task": "raw"} | options}
        status, said = post(app, V1, body)
        assert status == 200, said
        came.append(np.array(said["outputs"]))
    assert 1e-5 < np.abs(came[0] - came[1]).max() < 1


@pytest.mark.parametrize(
    ("variant", "said"),
    [("int4", f"variant: got 'int4', expected '{SCHEME}' or no variant"), (8, "variant: got a number")],
)
@pytest.mark.parametrize("route", [*ROUTES])
def test_unknown_variant_in_the_shape_of_the_route(app: ModuleType, route: str, variant: object, said: str) -> None:
    path, body, _ = ROUTES[route]
    status, refused = post(app, path, body | {"variant": variant})
    assert status == 400
    if path.startswith("/models"):
        assert refused["error_type"] == "Validation" and refused["field"] == "variant"
        assert refused["error"].startswith(said)
    else:
        assert refused["error"]["param"] == "variant" and refused["error"]["message"].startswith(said)


def test_variant_of_a_version_without_one(app: ModuleType) -> None:
    body = {"instances": ["a [MASK]"], "parameters": {"variant": SCHEME}}
    status, refused = post(app, "/v1/models/fill-mask:predict", body)
    assert (status, refused["field"]) == (400, "parameters.variant")
    assert "pushed without --quantize" in refused["error"]
