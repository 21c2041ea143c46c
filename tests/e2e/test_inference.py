"""The Open Inference Protocol over HTTP."""

import time
from typing import Any

import httpx
import pytest

from maas_client import MaasClient
from support import onnx_models

X = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}


@pytest.fixture(scope="module", autouse=True)
def models(shared: None, maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    for model, content in (
        ("linear", onnx_models.linear(1.0)),
        ("linear", onnx_models.linear(2.0)),
        ("long", onnx_models.linear(0.1234567)),  # short numbers in, long numbers out
    ):
        path.write_bytes(content)
        maas.push(path, model)
    maas.aliases.set("linear", "prod", 1)


def infer(http: httpx.Client, path: str = "/v2/models/linear/infer", **changes: Any) -> httpx.Response:
    return http.post(path, json={"inputs": [X | changes]})


def test_server_metadata_and_health(http: httpx.Client) -> None:
    assert http.get("/v2").json()["name"] == "maas"
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert http.get(path).status_code == 200


def test_model_metadata_and_ready(http: httpx.Client) -> None:
    expected = {
        "name": "linear",
        "versions": ["1"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }
    for reference in ("1", "prod"):
        assert http.get(f"/v2/models/linear/versions/{reference}").json() == expected
        assert http.get(f"/v2/models/linear/versions/{reference}/ready").json() == {"name": "linear", "ready": True}
    assert http.get("/v2/models/linear").json() == expected | {"versions": ["2"]}
    assert http.get("/v2/models/linear/ready").status_code == 200
    assert http.get("/v2/models/linear/versions/9/ready").status_code == 404


def test_answer_names_model_version_and_id(http: httpx.Client) -> None:
    answer = http.post("/v2/models/linear/versions/1/infer", json={"id": "a-7", "inputs": [X]})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "model_name": "linear",
        "model_version": "1",
        "id": "a-7",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [6.0, 6.0]}],
    }


def test_version_by_number_alias_or_default(http: httpx.Client) -> None:
    said = {
        path: infer(http, f"/v2/models/linear{path}/infer").json()["model_version"]
        for path in ("", "/versions/1", "/versions/2", "/versions/prod")
    }
    assert said == {"": "2", "/versions/1": "1", "/versions/2": "2", "/versions/prod": "1"}


def test_moved_alias_is_followed_without_failed_requests(maas: MaasClient, http: httpx.Client) -> None:
    maas.aliases.set("linear", "moving", 1)
    said = [infer(http, "/v2/models/linear/versions/moving/infer").json()["model_version"]]
    maas.aliases.set("linear", "moving", 2)
    deadline = time.monotonic() + 60
    while said[-1] != "2" and time.monotonic() < deadline:
        answer = infer(http, "/v2/models/linear/versions/moving/infer")
        assert answer.status_code == 200
        said.append(answer.json()["model_version"])
        time.sleep(0.1)
    assert said[0] == "1"
    assert said[-1] == "2"


VALUES = {
    "bool": ("BOOL", [True, False]),
    "uint8": ("UINT8", [0, 255]),
    "uint16": ("UINT16", [0, 65535]),
    "uint32": ("UINT32", [0, 2**32 - 1]),
    "uint64": ("UINT64", [0, 2**64 - 1]),
    "int8": ("INT8", [-128, 127]),
    "int16": ("INT16", [-32768, 32767]),
    "int32": ("INT32", [-(2**31), 2**31 - 1]),
    "int64": ("INT64", [-(2**63), 2**63 - 1]),
    "float16": ("FP16", [0.5, -2.0]),
    "float": ("FP32", [0.5, -1e30]),
    "double": ("FP64", [0.1, -1e300]),
    "string": ("BYTES", ["", "größer 🦆"]),
}


def test_every_datatype_round_trip(http: httpx.Client) -> None:
    inputs = [
        {"name": f"in_{name}", "datatype": datatype, "shape": [2], "data": data}
        for name, (datatype, data) in VALUES.items()
    ]
    answer = http.post("/v2/models/shared_types/infer", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    came = {output["name"]: (output["datatype"], output["data"]) for output in answer.json()["outputs"]}
    assert came == {f"out_{name}": value for name, value in VALUES.items()}


def test_requested_outputs_in_order(http: httpx.Client) -> None:
    inputs = [
        {"name": f"in_{name}", "datatype": datatype, "shape": [2], "data": data}
        for name, (datatype, data) in VALUES.items()
    ]
    asked = [{"name": "out_string"}, {"name": "out_bool"}]
    answer = http.post("/v2/models/shared_types/infer", json={"inputs": inputs, "outputs": asked}).json()
    assert [output["name"] for output in answer["outputs"]] == ["out_string", "out_bool"]


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"name": "z"}, "inputs[z].name", "expected one of ['x']"),
        ({"datatype": "INT64"}, "inputs[x].datatype", "got INT64, expected FP32"),
        ({"shape": [1, 4]}, "inputs[x].shape", "got [1, 4], expected [-1, 3]"),
        ({"shape": [3]}, "inputs[x].shape", "got [3], expected [-1, 3]"),
        ({"data": [1, 2]}, "inputs[x].data", "got 2 elements"),
        ({"data": ["1", "2", "3"]}, "inputs[x].data", "got strings, expected FP32"),
        ({"shape": "all"}, "inputs[0].shape", "got a string, expected an array"),
    ],
)
def test_wrong_input_names_field_and_expectation(
    http: httpx.Client, changes: dict[str, Any], field: str, expected: str
) -> None:
    answer = infer(http, **changes)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert expected in answer.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"inputs": {}}', b'{"inputs": []}', b"\xff\xfe", b'{"inputs": [1]}']
)
def test_malformed_body_is_400(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/v2/models/linear/infer", content=body)
    assert answer.status_code == 400
    assert "error" in answer.json()


@pytest.mark.parametrize("path", ["/v2/nothing", "/api/v1/nothing", "/v2/models/linear/versions/nothing/infer"])
def test_unknown_path_is_404(http: httpx.Client, path: str) -> None:
    answer = http.post(path, json={"inputs": [X]})
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


def test_content_type_is_optional(http: httpx.Client) -> None:
    request = http.build_request("POST", "/v2/models/linear/infer", json={"inputs": [X]})
    del request.headers["content-type"]
    assert http.send(request).json()["outputs"][0]["data"] == [12.0, 12.0]


def test_answer_beyond_payload_limit_is_413(http: httpx.Client) -> None:
    for rows, status in ((1_000, 200), (400_000, 413)):
        inputs = [X | {"shape": [rows, 3], "data": [1] * rows * 3}]
        answer = http.post("/v2/models/long/infer", json={"inputs": inputs}, headers={"Accept-Encoding": "identity"})
        assert answer.status_code == status
    packed = http.post(
        "/v2/models/long/infer", json={"inputs": inputs}
    )  # with gzip, which httpx accepts, the answer fits
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["outputs"][0]["shape"] == [400_000, 2]
    assert "fewer rows" in answer.json()["error"]
