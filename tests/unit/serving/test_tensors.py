"""JSON to arrays: exact values, or an InvalidTensor with the reason."""

import json
import math
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.errors import InvalidRequest, InvalidTensor
from maas.records import MetadataTensor
from maas.serving import oip, tensors
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput

DEEP = b"[" * 1000 + b"]" * 1000
INTEGERS = ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"]


def decode(datatype: str, shape: list[int], data: list[Any], declared: list[int] | None = None) -> Array:
    signature = [MetadataTensor("x", datatype, tuple([-1] * len(shape) if declared is None else declared))]
    return tensors.decode([RequestInput("x", datatype, tuple(shape), data)], signature)["x"]


@pytest.mark.parametrize("datatype", INTEGERS)
def test_integer_ranges(datatype: str) -> None:
    limits = np.iinfo(DTYPES[datatype])
    array = decode(datatype, [2], [int(limits.min), int(limits.max)])
    assert array.dtype == DTYPES[datatype]
    assert array.tolist() == [limits.min, limits.max]
    for beyond in (int(limits.min) - 1, int(limits.max) + 1):
        with pytest.raises(InvalidTensor, match=r"inputs\[x\].data: got .*, expected"):
            decode(datatype, [2], [0, beyond])


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_integers_are_taken_for_floats(datatype: str) -> None:
    array = decode(datatype, [2, 2], [[1, 0.5], [-2, 0]])
    assert array.dtype == DTYPES[datatype]
    assert array.tolist() == [[1, 0.5], [-2, 0]]


@pytest.mark.parametrize(("datatype", "value"), [("FP16", 1e5), ("FP32", 1e39)])
def test_float_overflow_is_refused(datatype: str, value: float) -> None:
    with pytest.raises(InvalidTensor, match="a number out of range"):
        decode(datatype, [1], [value])


@pytest.mark.parametrize(
    ("datatype", "data", "came"),
    [
        ("INT64", [1.5], "fractions"),
        ("FP32", ["1"], "strings"),
        ("FP32", [None], 'null, expected FP32 values, "NaN" for one that is missing'),
        ("FP32", [1, None], "null"),
        ("INT64", [1, None], "null, expected INT64 values"),
        ("FP32", [{}], "an object"),
        ("FP32", [1, {"a": None}], "an object, expected FP32 values"),
        ("UINT64", [1, 1 << 64], "a number beyond 64 bits"),
        ("INT64", [1 << 64], "a number beyond 64 bits"),
        ("FP32", [True], "booleans"),
        ("INT8", [False], "booleans"),
        ("INT64", [1, True], "a boolean among numbers"),
        ("FP32", [[1.5, 2], [3, False]], "a boolean among numbers"),
        ("FP64", ["NaN", True], "strings"),
        ("BOOL", [1], "int64 values"),
        ("BOOL", ["true"], "strings"),
        ("BYTES", [1], "values that are not strings"),
        ("BYTES", [None], "values that are not strings"),
        ("FP32", [[1, 2], [3]], "rows of different lengths"),
        ("FP32", [[1], 2], "rows of different lengths"),
    ],
)
def test_values_of_another_type_are_refused(datatype: str, data: list[Any], came: str) -> None:
    with pytest.raises(InvalidTensor) as caught:
        decode(datatype, [len(data)], data)
    assert f"got {came}" in caught.value.message
    assert caught.value.field == "inputs[x].data"


@pytest.mark.parametrize(
    ("shape", "data"), [([], [7]), ([1], [7]), ([0], []), ([2, 0], []), ([2, 2], [1, 2, 3, 4]), ([1, 1, 1], [[[7]]])]
)
def test_shapes_of_every_rank(shape: list[int], data: list[Any]) -> None:
    for datatype in ("INT32", "FP32"):
        array = decode(datatype, shape, data)
        assert array.shape == tuple(shape)
        assert array.ravel().tolist() == np.ravel(data).tolist()


def test_strings_round_trip() -> None:
    words = ["", "a", "größer 🦆", "\x00end"]
    assert decode("BYTES", [2, 2], words).tolist() == [words[:2], words[2:]]
    assert decode("BYTES", [2, 2], [words[:2], words[2:]]).tolist() == [words[:2], words[2:]]


@pytest.mark.parametrize("data", [[["a"], "b"], [["a", "b"], ["c"]], [[["a"]], [["b"]]]])
def test_ragged_strings_are_refused(data: list[Any]) -> None:
    with pytest.raises(InvalidTensor):
        decode("BYTES", [2, 1], data)


@pytest.mark.parametrize("depth", [31, 32, 33, 63, 64, 65, 200])
def test_deeply_nested_data_is_refused(depth: int) -> None:
    """NumPy's iterators end at 32 dimensions, its arrays at 64."""
    for datatype in ("FP32", "UINT64", "INT8", "BOOL", "BYTES"):
        for leaf in (None, "a", "NaN", {}, 1 << 63, 1 << 70, 1.5, True):
            data: Any = leaf
            for _ in range(depth):
                data = [data]
            with pytest.raises(InvalidTensor):
                decode(datatype, [1, 1], data)


@pytest.mark.parametrize(
    ("shape", "declared"), [([2, 4], [-1, 3]), ([3], [-1, 3]), ([1, 1, 3], [-1, 3]), ([], [1]), ([2], [3])]
)
def test_shape_outside_the_signature_is_refused(shape: list[int], declared: list[int]) -> None:
    with pytest.raises(InvalidTensor, match=r"inputs\[x\].shape: got .* expected"):
        decode("FP32", shape, [0] * math.prod(shape), declared)


@pytest.mark.parametrize("shape", [[1 << 62, 0], [0, 1 << 62], [1 << 40, 1 << 40, 0]])
def test_shape_overflow_is_refused(shape: list[int]) -> None:
    for datatype in ("FP32", "BYTES"):
        with pytest.raises(InvalidTensor, match=r"inputs\[x\].shape: got .* expected dimensions that fit into memory"):
            decode(datatype, shape, [])


@pytest.mark.parametrize("data", [[1, 2], [1, 2, 3, 4], [[1, 2, 3, 4]], [[1], [2], [3]]])
def test_data_that_contradicts_the_shape_is_refused(data: list[Any]) -> None:
    with pytest.raises(InvalidTensor, match="expected 3 elements for shape"):
        decode("FP32", [1, 3], data)


def test_unknown_repeated_and_missing_inputs_are_refused() -> None:
    signature = [MetadataTensor("a", "INT8", (1,)), MetadataTensor("b", "INT8", (1,))]
    a, other = RequestInput("a", "INT8", (1,), [1]), RequestInput("c", "INT8", (1,), [1])
    with pytest.raises(InvalidTensor, match=r"got 'c', expected one of \['a', 'b'\]"):
        tensors.decode([a, other], signature)
    with pytest.raises(InvalidTensor, match="this input twice"):
        tensors.decode([a, a], signature)
    with pytest.raises(InvalidRequest, match=r"got \['a'\], expected also \['b'\]"):
        tensors.decode([a], signature)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.full
@settings(max_examples=400)
@given(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 3), max_size=3), st.lists(JSON, max_size=6))
def test_random_data_decodes_as_declared_or_is_refused(datatype: str, shape: list[int], data: list[Any]) -> None:
    try:
        array = decode(datatype, shape, data)
    except InvalidRequest:
        return
    assert array.dtype == DTYPES[datatype]
    assert array.shape == tuple(shape)


@settings(max_examples=400)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_random_body_parses_or_is_refused(body: bytes) -> None:
    with suppress(InvalidRequest):
        oip.parse_request(body)


@pytest.mark.full
@given(
    st.fixed_dictionaries(
        {
            "inputs": st.lists(
                st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "shape", "datatype", "data"), JSON))
            )
        },
        optional={"id": JSON, "outputs": JSON},
    )
)
def test_random_document_parses_or_is_refused(document: dict[str, Any]) -> None:
    try:
        body = orjson.dumps(document)
    except TypeError:  # an integer that JSON has, but not orjson
        return
    try:
        request = oip.parse_request(body)
    except InvalidRequest:
        return
    assert all(type(dimension) is int for tensor in request.inputs for dimension in tensor.shape)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"[" * 5000, "body"),
        (b"{}", "inputs"),
        (b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1], "data": []}]}', "inputs[0].shape"),
        (b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [true], "data": []}]}', "inputs[0].shape"),
        (b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1.0], "data": []}]}', "inputs[0].shape"),
        (b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [%s], "data": []}]}' % DEEP, "inputs[0].shape"),
        (b'{"inputs": [], "id": 7}', "id"),
        (b'{"inputs": [], "id": NaN, "parameters": "\\ud800"}', "body"),
        (b'{"inputs": [], "id": "\xff", "parameters": NaN}', "body"),
        (b'{"inputs": [NaN], "id": "' + b'\\"' * 500_000, "body"),
        (b'{"inputs": [], "outputs": [{"name": "y"}, {"name": "y"}]}', "outputs"),
    ],
)
def test_refusal_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        oip.parse_request(body)
    assert caught.value.field == field


def test_unquoted_nan_is_read() -> None:
    body = b'{"inputs": [{"name": "a \\"NaN", "datatype": "FP32", "shape": [3], "data": [NaN, -Infinity,Infinity]}]}'
    (tensor,) = oip.parse_request(body).inputs
    assert tensor.name == 'a "NaN'
    assert tensor.data == ["NaN", "-Infinity", "Infinity"]
