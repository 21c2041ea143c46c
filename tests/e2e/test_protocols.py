"""Protocols besides OIP: raw bodies, KServe V1 and TF Serving, SageMaker's container; unusual inputs and outputs."""

from typing import Any

import httpx
import numpy as np
import pytest

from maas_client import MaasClient
from support import onnx_models


@pytest.fixture(scope="module", autouse=True)
def models(shared: None, maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, content in (
        ("p_default", onnx_models.added(optional=True)),
        ("p_split", onnx_models.split()),
        ("p_text", onnx_models.identities({"s": 8})),
        ("p_nan", onnx_models.identities({"s": 1})),
        ("p_names", onnx_models.zipmap(["setosa", "virginica"])),
    ):
        path = tmp_path_factory.mktemp(name) / "model.onnx"
        path.write_bytes(content)
        maas.push(path, name, alias="live")


def outputs(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["outputs"]}


def test_raw_body_is_the_only_input(http: httpx.Client) -> None:
    x = np.array([[1, 2, 3]], np.float32)
    headers = {"Inference-Header-Content-Length": "0", "Content-Type": "application/octet-stream"}
    answer = http.post("/v2/models/shared_linear/infer", content=x.tobytes(), headers=headers)
    header = int(answer.headers["inference-header-content-length"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert np.frombuffer(answer.content[header:], np.float32).tolist() == [6, 6]
    refused = http.post("/v2/models/shared_linear/infer", content=x.tobytes()[:8], headers=headers)
    assert (refused.status_code, refused.json()["field"]) == (400, "inputs[x].parameters.binary_data_size")


def test_optional_input_may_be_omitted(http: httpx.Client) -> None:
    a = {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
    b = {"name": "b", "shape": [1], "datatype": "FP32", "data": [100]}
    assert outputs(http.post("/v2/models/p_default/infer", json={"inputs": [a]}))["y"]["data"] == [11, 12]
    assert outputs(http.post("/v2/models/p_default/infer", json={"inputs": [a, b]}))["y"]["data"] == [101, 102]
    assert [one["optional"] for one in http.get("/v2/models/p_default/config").json()["input"]] == [False, True]


def test_sequence_output_is_stacked(http: httpx.Client) -> None:
    given = {"name": "x", "shape": [3, 2], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}
    came = outputs(http.post("/v2/models/p_split/infer", json={"inputs": [given]}))["y"]
    assert (came["shape"], came["data"]) == ([3, 1, 2], [1, 2, 3, 4, 5, 6])
    assert http.get("/v2/models/p_split").json()["outputs"][0]["shape"] == [-1, -1, -1]


@pytest.mark.parametrize("words", ['"NaN", "Infinity", "-Infinity", 0.1', "NaN, Infinity, -Infinity, 0.1"])
def test_nan_and_infinities_as_strings(http: httpx.Client, words: str) -> None:
    body = f'{{"inputs": [{{"name": "in_s", "shape": [4], "datatype": "FP32", "data": [{words}]}}]}}'
    came = outputs(http.post("/v2/models/p_nan/infer", content=body))["out_s"]["data"]
    assert came == ["NaN", "Infinity", "-Infinity", 0.1]


def test_v1_rows_and_columns(http: httpx.Client) -> None:
    for path in (
        "/v1/models/shared_linear",
        "/v1/models/shared_linear/versions/1",
        "/v1/models/shared_linear/labels/live",
    ):
        rows = http.post(f"{path}:predict", json={"signature_name": "x", "instances": [[1, 2, 3], [0, 0, 1]]})
        assert rows.json() == {"predictions": [[6, 6], [1, 1]]}
    named = http.post("/v1/models/shared_linear:predict", json={"instances": [{"x": [1, 2, 3]}]})
    assert named.json() == {"predictions": [[6, 6]]}
    columns = http.post("/v1/models/shared_linear:predict", json={"inputs": {"x": [[1, 2, 3]]}})
    assert columns.json() == {"outputs": [[6, 6]]}
    two = http.post("/v1/models/shared_added:predict", json={"instances": [{"a": [1, 2], "b": [3, 4]}]})
    assert two.json() == {"predictions": [[4, 6]]}
    text = http.post("/v1/models/p_text:predict", json={"instances": ["a", {"b64": "w7w="}]})
    assert text.json() == {"predictions": ["a", "ü"]}
    labelled = http.post("/v1/models/p_names:predict", json={"instances": [[0.25, 0.75]]})
    assert labelled.json() == {"predictions": [{"label": 1, "probabilities": {"setosa": 0.25, "virginica": 0.75}}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "got none, expected one of instances, inputs"),
        ({"instances": [[1, 2, 3]], "inputs": []}, "got instances and inputs, expected one of"),
        ({"instances": []}, "got no rows"),
        ({"instances": [[1, 2]]}, "inputs[x].shape"),
        ({"instances": [[1, 2, "a"]]}, "inputs[x].data"),
        ({"inputs": {"z": [1]}}, "inputs[x].shape"),
        ([1], "got no object"),
    ],
)
def test_bad_v1_rows_say_why(http: httpx.Client, document: Any, said: str) -> None:
    answer = http.post("/v1/models/shared_linear:predict", json=document)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_v1_model_status(http: httpx.Client) -> None:
    said = http.get("/v1/models/shared_linear").json()
    state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert said["model_version_status"] == [state]
    assert said["ready"] is True
    assert "shared_linear" in http.get("/v1/models").json()["models"]
    assert http.get("/v1/models/nothing").status_code == 404


def test_sagemaker_container_contract(http: httpx.Client) -> None:
    assert http.get("/ping").status_code == 200
    csv = {"Content-Type": "text/csv"}
    answer = http.post("/invocations?model=shared_linear&version=live", content="1,2,3\n0,0,1\n", headers=csv)
    assert (answer.headers["content-type"].split(";")[0], answer.text) == ("text/csv", "6.0,6.0\n1.0,1.0\n")
    as_json = http.post(
        "/invocations?model=shared_linear", content="1,2,3", headers=csv | {"Accept": "application/json"}
    )
    assert as_json.json() == {"predictions": [[6, 6]]}
    target = {"X-Amzn-SageMaker-Target-Model": "shared_linear"}
    assert http.post("/invocations", json=[[1, 2, 3]], headers=target).json() == {"predictions": [[6, 6]]}
    assert "?model=NAME" in http.post("/invocations", json=[[1, 2, 3]]).json()["error"]
    assert http.post("/invocations?model=p_text", content='"a,b"\nc\n', headers=csv).text == '"a,b"\nc\n'


@pytest.mark.parametrize(
    ("body", "said"),
    [("", "got no row"), ("1,2\n1\n", "one length"), ("1,2,x", "row 1 has 'x', expected FP32"), ('"1', "not CSV")],
)
def test_bad_csv_says_why(http: httpx.Client, body: str, said: str) -> None:
    answer = http.post("/invocations?model=shared_linear", content=body, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 400
    assert said in answer.json()["error"]
