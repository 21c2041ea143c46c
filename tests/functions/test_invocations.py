"""What `/invocations` reads and answers: JSON or CSV, whatever the client calls it."""

import json
from types import ModuleType

import pytest
from onnx import TensorProto

from support import onnx_models, wire
from support.wire import post

MODELS = {
    "linear": onnx_models.linear(),
    "scalar": onnx_models.identities({"x": TensorProto.FLOAT}, []),
    "BYTES": onnx_models.identities({"x": TensorProto.STRING}),
    "FP32": onnx_models.identities({"x": TensorProto.FLOAT}),
    "bool": onnx_models.identities({"x": TensorProto.BOOL}),
}
CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    paths = {name: tmp_path_factory.mktemp(name) / "model.onnx" for name in MODELS}
    for name, path in paths.items():
        path.write_bytes(MODELS[name])
    return wire.inference_function(paths)


@pytest.mark.parametrize(
    "kind", [None, "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "a/b+json"]
)
def test_invocations_read_json_whatever_the_client_calls_it(app: ModuleType, kind: str | None) -> None:
    answer = post(app, "/invocations?model=linear", [[1, 2, 3]], {"content-type": kind} if kind else None)
    assert json.loads(answer["body"]) == {"predictions": [[6, 6]]}


@pytest.mark.parametrize("kind", ["application/jsonlines", "application/x-npy", "image/png", "text/html"])
def test_other_media_types_are_refused_with_those_taken(app: ModuleType, kind: str) -> None:
    for header, status in (("content-type", 415), ("accept", 406)):
        refused = post(app, "/invocations?model=linear", [[1, 2, 3]], {header: kind})
        error = f"{header}: got {kind}, expected application/json or text/csv"
        assert (refused["statusCode"], json.loads(refused["body"])) == (status, {"error": error, "field": header})


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("application/json;q=0.1, text/csv;q=0.5", "text/csv"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/html, application/x-npy, */*;q=0.8", "application/json"),
        ("", "application/json"),
    ],
)
def test_invocations_answer_as_accept_says(app: ModuleType, accept: str, kind: str) -> None:
    bodies = {"text/csv": "6.0,6.0\n", "application/json": '{"predictions":[[6.0,6.0]]}'}
    for document in ([[1, 2, 3]], {"instances": [[1, 2, 3]]}):
        answer = post(app, "/invocations?model=linear", document, {"accept": accept})
        assert answer["body"] == bodies[kind]
        assert answer["headers"]["content-type"].partition(";")[0] == kind


def test_csv_answer_to_columns_without_rows_is_refused(app: ModuleType) -> None:
    body = {"inputs": {"in_x": 1}}
    assert json.loads(post(app, "/invocations?model=scalar", body)["body"]) == {"outputs": 1.0}
    refused = post(app, "/invocations?model=scalar", body, {"accept": "text/csv"})
    assert (refused["statusCode"], json.loads(refused["body"])["field"]) == (400, "in_x")


def test_csv_answers_write_values_as_json_does(app: ModuleType) -> None:
    assert post(app, "/invocations?model=FP32", "0.1\n1e-7\nNaN\n", CSV)["body"] == "0.1\n1e-07\nNaN\n"
    assert post(app, "/invocations?model=bool", "true\n0\n", CSV)["body"] == "true\nfalse\n"
    assert post(app, "/invocations?model=BYTES", '"a,b"\nc\n', CSV)["body"] == '"a,b"\nc\n'
