"""Unusual models and requests through the handler of inference."""

import gzip
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from maas.serving.oip import HEADER_LENGTH, MAX_JSON_BYTES
from maas.serving.oip_reply import OutputTensor
from support import onnx_models, wire
from support.wire import post

MODELS = {
    "linear": onnx_models.linear(),
    "BYTES": onnx_models.identities({"x": TensorProto.STRING}),
    "FP32": onnx_models.identities({"x": TensorProto.FLOAT}),
    "optional": onnx_models.added(optional=True),
    "weights": onnx_models.keeping_initializers(),
    "dogs": onnx_models.zipmap(["dog", "cat"]),
    "numbers": onnx_models.zipmap([7, 5]),
    "split": onnx_models.split(),
    "zipmap": onnx_models.zipmap(["cat", "dog"]),
    "wide": onnx_models.linear(classes=1000),
    "square": onnx_models.identities({"x": TensorProto.FLOAT}, ["n", "n"]),
    "placeholders": onnx_models.identities({"a": TensorProto.FLOAT, "b": TensorProto.FLOAT}, ["?", 2, "unk__1", "?"]),
    "symbols": onnx_models.identities({"a": TensorProto.FLOAT, "b": TensorProto.FLOAT}, ["batch", "?"]),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    paths = {name: tmp_path_factory.mktemp(name) / "model.onnx" for name in MODELS}
    for name, path in paths.items():
        path.write_bytes(MODELS[name])
    (paths["linear"].parent / "labels.txt").write_bytes("\ufeffKätzchen\r\nline\x0bfeed\r\n".encode())
    return wire.inference_function(paths, ["weights"])


def infer(app: ModuleType, model: str, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = app.lambda_handler(wire.event(f"/v2/models/{model}/infer", body, headers), wire.CONTEXT)
    return answer


def fp32(name: str, array: Any) -> OutputTensor:
    return OutputTensor(name, "FP32", np.array(array, np.float32))


def outputs(app: ModuleType, model: str, *tensors: OutputTensor, binary: bool = True) -> dict[str, Any]:
    answer = infer(app, model, *wire.request(tensors, binary=binary))
    assert answer["statusCode"] == 200, answer["body"]
    return {name: array.tolist() for name, array in wire.outputs(answer).items()}


@pytest.mark.parametrize("binary", [True, False])
def test_empty_batch(app: ModuleType, binary: bool) -> None:
    answer = infer(app, "linear", *wire.request([fp32("x", np.empty((0, 3)))], binary=binary))
    assert wire.outputs(answer)["y"].shape == (0, 2)


@pytest.mark.parametrize("binary", [True, False])
def test_optional_input_given_or_left_out(app: ModuleType, binary: bool) -> None:
    a = fp32("a", [[1, 2]])
    assert outputs(app, "optional", a, binary=binary) == {"y": [[11, 12]]}
    assert outputs(app, "optional", a, fp32("b", [5]), binary=binary) == {"y": [[6, 7]]}


def predicted(app: ModuleType, model: str, body: Any) -> Any:
    answer = post(app, f"/v1/models/{model}:predict", body)
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])


CSV = {"content-type": "text/csv"}


def test_weights_that_are_inputs_may_be_left_out(app: ModuleType) -> None:
    assert predicted(app, "weights", {"instances": [[1, 2, 3]]}) == {"predictions": [16]}
    assert predicted(app, "weights", {"instances": [{"x": [1, 2, 3]}]}) == {"predictions": [16]}
    assert predicted(app, "weights", {"inputs": [[1, 2, 3]]}) == {"outputs": [16]}
    assert predicted(app, "weights", {"inputs": {"x": [[1, 2, 3]], "bias": [0]}}) == {"outputs": [6]}
    assert post(app, "/invocations?model=weights", "1,2,3\n4,5,6\n", CSV)["body"] == "16.0\n25.0\n"
    raw = np.array([1, 2, 3], np.float32).tobytes()
    assert wire.outputs(infer(app, "weights", raw, {HEADER_LENGTH: "0"}))["y"].tolist() == [16]


def test_optional_inputs_are_marked(app: ModuleType) -> None:
    refused = post(app, "/v1/models/weights:predict", {"inputs": {"bias": [1]}})
    assert (refused["statusCode"], "expected also ['x']" in refused["body"]) == (400, True)
    answer = app.lambda_handler(wire.event("/v2/models/weights", b"", method="GET"), wire.CONTEXT)
    assert json.loads(answer["body"])["inputs"] == [
        {"name": "x", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "bias", "datatype": "FP32", "shape": [1], "parameters": {"optional": True}},
        {"name": "w", "datatype": "FP32", "shape": [3], "parameters": {"optional": True}},
    ]


def test_maps_are_objects_by_class_in_rows(app: ModuleType) -> None:
    scores = [[0.1, 0.9], [1, 0]]
    assert predicted(app, "dogs", {"instances": scores})["predictions"] == [
        {"label": 1, "probabilities": {"dog": 0.1, "cat": 0.9}},
        {"label": 0, "probabilities": {"dog": 1, "cat": 0}},
    ]
    assert predicted(app, "numbers", {"instances": scores[:1]})["predictions"] == [
        {"label": 1, "probabilities": {"7": 0.1, "5": 0.9}}
    ]
    columns = predicted(app, "dogs", {"inputs": scores[:1]})["outputs"]
    probabilities = dict(zip(columns["probabilities_labels"], columns["probabilities"][0], strict=True))
    assert probabilities == {"dog": 0.1, "cat": 0.9}
    assert post(app, "/invocations?model=dogs", "0.1,0.9\n", CSV)["body"] == "1,0.9,0.1\n"  # in the order of the keys


@pytest.mark.parametrize("path", ["/v2/health/live", "/ping", "/v2", "/v2/models/weights", "/v1/models/weights"])
def test_head_and_one_trailing_slash_are_like_get(app: ModuleType, path: str) -> None:
    answers = [
        app.lambda_handler(wire.event(asked, b"", method=method), wire.CONTEXT)
        for method, asked in (("GET", path), ("GET", f"{path}/"), ("HEAD", path), ("GET", f"{path}//"))
    ]
    assert [one["statusCode"] for one in answers] == [200, 200, 200, 404]
    assert answers[0]["body"] == answers[1]["body"] != answers[2]["body"] == ""


def test_inference_with_a_trailing_slash(app: ModuleType) -> None:
    body, headers = wire.request([fp32("x", [[1, 2, 3]])], binary=True)
    for path in ("/v2/models/linear/infer/", "/v2/models/linear/versions/1/infer/"):
        answer = app.lambda_handler(wire.event(path, body, headers), wire.CONTEXT)
        assert wire.outputs(answer)["y"].tolist() == [[6, 6]]


BOM = "\ufeff"


@pytest.mark.parametrize("text", ["1_0", "٣", "+1", "0x1", "1.", "007", "1e", "nan", "inf"])
def test_numbers_are_written_as_in_json_on_every_route(app: ModuleType, text: str) -> None:
    infer_body = '{"inputs": [{"name": "in_x", "datatype": "FP32", "shape": [1], "data": [%s]}]}'
    for path, body, headers in (
        ("/invocations?model=FP32", text, CSV),
        ("/invocations?model=FP32", f"[{text}]", None),
        ("/v1/models/FP32:predict", f'{{"instances": [{text}]}}', None),
        ("/v2/models/FP32/infer", infer_body % text, None),
    ):
        assert post(app, path, body, headers)["statusCode"] == 400, (path, body)


def test_byte_order_mark_is_dropped_on_every_route(app: ModuleType) -> None:
    infer_body = '{"inputs": [{"name": "in_x", "datatype": "BYTES", "shape": [1], "data": ["é"]}]}'
    for path, body, headers in (
        ("/invocations?model=BYTES", "é", CSV),
        ("/invocations?model=BYTES", '["é"]', None),
        ("/v1/models/BYTES:predict", '{"instances": ["é"]}', None),
        ("/v2/models/BYTES/infer", infer_body, None),
    ):
        answers = [post(app, path, mark + body, headers) for mark in ("", BOM)]
        assert [(one["statusCode"], one["body"]) for one in answers] == [(200, answers[0]["body"])] * 2
    body = (BOM + infer_body).encode()
    assert infer(app, "BYTES", body, {HEADER_LENGTH: str(len(body))})["statusCode"] == 200
    assert post(app, "/v2/repository/models/BYTES/load", BOM + "{}")["statusCode"] == 200


@pytest.mark.parametrize("binary", [True, False])
def test_sequences_and_maps_are_tensors(app: ModuleType, binary: bool) -> None:
    rows = fp32("x", [[1, 2], [3, 4]])
    assert outputs(app, "split", rows, binary=binary) == {"y": [[[1, 2]], [[3, 4]]]}
    scores = [[0.25, 0.75], [1, 0]]
    assert outputs(app, "zipmap", fp32("scores", scores), binary=binary) == {
        "label": [1, 0],
        "probabilities": scores,
        "probabilities_labels": ["cat", "dog"],
    }


@pytest.mark.parametrize("binary", [True, False])
def test_classification_uses_labels_txt(app: ModuleType, binary: bool) -> None:
    body, headers = wire.request([fp32("x", [[1, 2, 3]])], binary=binary)
    end = int(headers.get(HEADER_LENGTH, len(body)))
    document = json.loads(body[:end]) | {"outputs": [{"name": "y", "parameters": {"classification": 2}}]}
    header = json.dumps(document).encode()
    answer = infer(app, "linear", header + body[end:], {HEADER_LENGTH: str(len(header))} if binary else {})
    assert wire.outputs(answer)["y"].tolist() == [["6.000000:0:Kätzchen", "6.000000:1:line\x0bfeed"]]


def test_raw_body_with_equal_symbols(app: ModuleType) -> None:
    one, three = (np.ones(count, np.float32).tobytes() for count in (1, 3))
    assert wire.outputs(infer(app, "square", one, {HEADER_LENGTH: "0"}))["out_x"].shape == (1, 1)
    refused = infer(app, "square", three, {HEADER_LENGTH: "0"})
    assert (refused["statusCode"], "n=1" in refused["body"]) == (400, True)


@pytest.mark.parametrize("binary", [True, False])
def test_placeholder_dimensions_may_differ(app: ModuleType, binary: bool) -> None:
    a, b = np.ones((1, 2, 3, 4)).tolist(), np.ones((4, 2, 1, 2)).tolist()
    came = outputs(app, "placeholders", fp32("in_a", a), fp32("in_b", b), binary=binary)
    assert came == {"out_a": a, "out_b": b}


def test_symbols_shared_by_inputs_must_agree(app: ModuleType) -> None:
    two, three = np.ones((2, 5)), np.ones((3, 7))
    came = outputs(app, "symbols", fp32("in_a", two), fp32("in_b", np.ones((2, 7))))
    assert [len(rows) for rows in came.values()] == [2, 2]
    refused = infer(app, "symbols", *wire.request([fp32("in_a", two), fp32("in_b", three)], binary=True))
    assert (refused["statusCode"], json.loads(refused["body"])["field"]) == (400, "inputs[in_b].shape")


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/invocations?model=wide", "text/csv", b"1,2,3\n" * 2000),
        ("/invocations?model=BYTES", "text/csv", b"\x01\n" * 900_000),  # six characters each in an answer's JSON
        ("/v1/models/wide:predict", "application/json", json.dumps({"instances": [[1, 2, 3]] * 2000}).encode()),
    ],
)
def test_answers_over_the_payload_limit_are_413(app: ModuleType, path: str, kind: str, body: bytes) -> None:
    answer = app.lambda_handler(wire.event(path, body, {"content-type": kind}), wire.CONTEXT)
    assert answer["statusCode"] == 413, answer["body"][:100]
    assert "asynchronous inference" in json.loads(answer["body"])["error"]


def test_v1_and_csv_take_gzip_and_unquoted_nan(app: ModuleType) -> None:
    rows = gzip.compress(b'{"instances": [NaN, -Infinity, 1]}')
    headers = {"content-encoding": "gzip"}
    answer = app.lambda_handler(wire.event("/v1/models/FP32:predict", rows, headers), wire.CONTEXT)
    assert json.loads(answer["body"]) == {"predictions": ["NaN", "-Infinity", 1]}
    csv = wire.event("/invocations?model=linear", gzip.compress(b"1,2,3"), headers | {"content-type": "text/csv"})
    assert app.lambda_handler(csv, wire.CONTEXT)["body"] == "6.0,6.0\n"
    bomb = wire.event("/v1/models/FP32:predict", gzip.compress(bytes(MAX_JSON_BYTES + 1)), headers)
    assert app.lambda_handler(bomb, wire.CONTEXT)["statusCode"] == 413


SECRET = "of another request "


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "size"),
    [
        ("FP32", [1000], bytes(4), 4),
        ("FP32", [1000], bytes(4), 4000),
        ("FP32", [1 << 62], bytes(4), 4),
        ("FP32", [(1 << 62) + 1], bytes(4), 4),  # times 4 bytes that is 4, in 64 bits
        ("BYTES", [1], b"\xff\xff\xff\xff", 4),
        ("BYTES", [1], b"\x00\x10\x00\x00abc", 7),
        ("BYTES", [1000], b"\x01\x00\x00\x00a", 5),
        ("BYTES", [2], bytes(7), 7),
    ],
)
def test_declared_size_over_the_bytes_sent_is_refused(
    app: ModuleType, datatype: str, shape: list[int], raw: bytes, size: int
) -> None:
    """As https://github.com/triton-inference-server/server/issues/7171 let it, by lengths beyond the bytes sent."""
    texts = OutputTensor("in_x", "BYTES", np.array([SECRET * 1000] * 20, object))
    assert infer(app, "BYTES", *wire.request([texts], binary=True))["statusCode"] == 200
    tensor = {"name": "in_x", "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": size}}
    header = json.dumps({"inputs": [tensor]}).encode()
    answer = infer(app, datatype, header + raw, {HEADER_LENGTH: str(len(header))})
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]).keys() == {"error", "field"}
    assert SECRET not in answer["body"]


def test_stages_are_told_to_a_request_that_prefers_it(app: ModuleType) -> None:
    body, headers = wire.request([fp32("x", [[1, 2, 3]])], binary=True)
    told = infer(app, "linear", body, headers | {"prefer": "server-timing"})["headers"]["server-timing"]
    stages = dict(one.split(";dur=") for one in told.split(", "))
    assert [*stages] == ["queue", "load", "compute_input", "compute_infer", "compute_output"]
    assert all(float(milliseconds) >= 0 for milliseconds in stages.values())
    assert "server-timing" not in infer(app, "linear", body, headers)["headers"]
