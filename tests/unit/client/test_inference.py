"""Inference with both clients, over real HTTP."""

from typing import Any

import numpy as np
import pytest

from maas_client import BF16, InvalidInput, InvalidRequest, InvalidResponse, NotFound
from support.server.server import ContractServer as Server

ARRAYS = {
    "rows": np.arange(6, dtype=np.float32).reshape(3, 2),
    "columns": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(3, 2)),
    "every other": np.arange(12, dtype=np.uint64)[::-2],
    "big-endian": np.array([[1, -2]], ">i8"),
    "scalar": np.array(2.5),
    "NumPy's own number": np.float16(2.5),
    "nothing": np.empty((0, 3), np.float64),
    "odd numbers": np.array([np.nan, np.inf, -np.inf, -0.0]),
    "flags": np.array([[True], [False]]),
    "words": np.array(["größer", ""]),
    "objects": np.array([["a"], ["b\0"]], object),
}


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_arrays_round_trip(server: Server, maas: Any, array: np.ndarray, binary: bool) -> None:
    answered = maas.infer("echo", {"x": array}, binary=binary)["y0"]
    assert ("data" in server.requests[0]["inputs"][0]) is not binary
    arrived = server.arrays[0]
    if arrived.dtype == object and binary:
        arrived = np.array([one.decode() for one in arrived.ravel()], object).reshape(arrived.shape)
    for came in (arrived, answered):
        assert came.shape == array.shape
        np.testing.assert_array_equal(came, array)
    assert answered.dtype == (object if array.dtype.kind == "U" else array.dtype.newbyteorder("="))
    assert answered.flags.writeable
    assert server.paths() == ["/v2/models/echo/infer"]


def test_request_parameters(server: Server, maas: Any) -> None:
    server.echo_inputs.append({"name": "z", "datatype": "INT8", "shape": [-1]})
    two = {"x": np.ones((1, 2), np.float32), "z": np.array([7], np.int8)}
    response = maas.infer_response("echo", two, "production", ["y1"], request_id="42", timeout_seconds=300)
    assert (response.model_name, response.model_version, response.id) == ("echo", "3", "42")
    assert {name: array.tolist() for name, array in response.outputs.items()} == {"y1": [7]}
    assert server.paths() == ["/v2/models/echo/versions/production/infer"]
    assert 240_000_000 < server.requests[0]["parameters"]["timeout"] <= 300_000_000


def test_lists_take_shape_and_dtype_of_signature(server: Server, maas: Any) -> None:
    assert maas.infer("echo", np.ones((2, 2), np.float32))["y0"].shape == (2, 2)
    for rows in ([[1, 2], [3, 4]], [1, 2], {"x": [[1, 2]]}):
        assert maas.infer("echo", rows)["y0"].dtype == np.float32
    assert server.paths().count("/v2/models/echo") == 1
    assert [array.shape for array in server.arrays] == [(2, 2), (2, 2), (1, 2), (1, 2)]
    server.echo_inputs[0] = {"name": "image", "datatype": "INT64", "shape": [-1, 3]}  # an alias moved
    assert maas.infer("echo", [1, 2, 3])["y0"].dtype == np.int64
    assert maas.infer("echo", np.ones((1, 3), np.int64))["y0"].tolist() == [[1, 1, 1]]
    assert server.paths().count("/v2/models/echo") == 2
    with pytest.raises(InvalidInput, match=r"'image' has shape \[2\], expected \[-1, 3\]"):
        maas.infer("echo", [1, 2])
    with pytest.raises(InvalidInput, match="has no input x; it takes image"):
        maas.infer("echo", {"x": [1, 2]})
    server.echo_inputs.append({"name": "z", "datatype": "INT8", "shape": [-1]})
    with pytest.raises(InvalidInput, match=r"the model takes image INT64 \[-1, 3\], z"):
        maas.infer("echo", [1, 2], 4)


def test_bfloat16_round_trip(server: Server, maas: Any) -> None:
    values = np.array([[1.0, -2.5], [np.inf, 3e38]], np.float32)
    server.echo_inputs[0] = {"name": "x", "datatype": "BF16", "shape": [-1, 2]}
    for given in (BF16.of(values), BF16((values.view(np.uint32) >> 16).astype(np.uint16)), values.tolist()):
        answered = maas.infer("echo", {"x": given})["y0"]
        np.testing.assert_allclose(answered, values, rtol=2**-8)
        assert answered.dtype == np.float32
    with pytest.raises(InvalidInput, match="BF16, which JSON cannot carry"):
        maas.infer("echo", {"x": BF16.of(values)}, binary=False)


def test_infer_json(server: Server, maas: Any) -> None:
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [[0.5, float("nan")]]}
    request = {"id": "7", "inputs": [tensor], "parameters": {"binary_data_output": True}}
    assert maas.infer_json("echo", request)["outputs"] == [
        {"name": "y0", "datatype": "FP32", "shape": [1, 2], "data": [0.5, "NaN"]}
    ]
    assert server.requests[0]["id"] == "7"
    maas.infer_json("echo", request, timeout_seconds=300)
    assert server.requests[0]["parameters"] == request["parameters"]
    assert 240_000_000 < server.requests[1]["parameters"]["timeout"] <= 300_000_000


def test_refusals_and_malformed_answers_are_typed(server: Server, maas: Any) -> None:
    x = np.ones((1, 2), np.float32)
    with pytest.raises(InvalidRequest, match="no such input") as caught:
        maas.infer("echo", {"nothing": x})
    assert (caught.value.status, caught.value.field) == (400, "inputs")
    with pytest.raises(NotFound):
        maas.metadata("nobody")
    output = '{"name": "y", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 4}}'
    said = f'{{"model_name": "m", "model_version": "1", "outputs": [{output}]}}'.encode()
    length = {"inference-header-content-length": str(len(said))}
    for headers, body in (
        ({}, b"hello"),
        ({}, b"[]"),
        ({}, b'{"outputs": [1]}'),
        (length, said),
        (length, said + b"1234"),
        (length, said + b"12345678"),
        ({"inference-header-content-length": "many"}, said),
    ):
        server.trouble = [("/infer", (200, headers, body))]
        with pytest.raises(InvalidResponse):
            maas.infer("echo", {"x": x})
