"""Tensors on the wire, as properties; Triton's client is the judge of the bytes."""

import json
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from maas_client import BF16, InvalidInput
from maas_client.calls import Answer, inference_path
from maas_client.errors import InvalidResponse
from maas_client.protocol.fitting import fit
from maas_client.protocol.requests import Wanted, infer_call
from maas_client.protocol.responses import read_response, response_json
from maas_client.protocol.tensors import decode, encode_binary, encode_json
from maas_client.records.inference import MetadataTensor

SHAPES = nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
NUMBERS = st.one_of(nps.boolean_dtypes(), nps.integer_dtypes(endianness="?"), nps.unsigned_integer_dtypes())
FLOATS = nps.floating_dtypes(sizes=(16, 32, 64), endianness="?")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Of every datatype but BYTES, in either byte order, as rows, columns or every other element."""
    found = draw(nps.arrays(draw(st.one_of(NUMBERS, FLOATS)), draw(SHAPES)))
    layout = draw(st.sampled_from(["rows", "columns", "transposed", "steps"]))
    if layout == "columns":
        return np.asfortranarray(found)
    if layout == "transposed":
        return found.T
    return found[..., ::-2] if layout == "steps" and found.ndim else found


@st.composite
def texts(draw: st.DrawFn, elements: st.SearchStrategy[Any] = TEXT) -> np.ndarray:
    shape = draw(SHAPES)
    found = np.empty(shape, object)
    found.ravel()[:] = draw(st.lists(elements, min_size=found.size, max_size=found.size))
    return found


def decoded(said: dict[str, Any], raw: memoryview | None = None) -> np.ndarray:
    said = json.loads(json.dumps(said, allow_nan=False))
    return decode(said["name"], said["datatype"], tuple(said["shape"]), said.get("data"), raw)


def through_json(array: np.ndarray) -> np.ndarray:
    return decoded(encode_json("x", array))


def through_bytes(array: Any) -> np.ndarray:
    said, raw = encode_binary("x", array)
    assert said["parameters"] == {"binary_data_size": len(raw)}
    return decoded(said, memoryview(bytes(raw)))


@given(arrays())
def test_numbers_round_trip(array: np.ndarray) -> None:
    for returned in (through_bytes(array), through_json(array)):
        assert returned.dtype == array.dtype.newbyteorder("=")
        assert returned.shape == array.shape
        np.testing.assert_array_equal(returned, array)
    assert through_bytes(array).tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()  # NaN's bits too


@given(arrays())
def test_bytes_equal_triton_client(array: np.ndarray) -> None:
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
    said, raw = encode_binary("x", array)
    theirs = triton.InferInput("x", list(array.shape), said["datatype"])
    theirs.set_data_from_numpy(native)
    assert bytes(raw) == theirs._get_binary_data()


@given(texts())
def test_text_round_trip(array: np.ndarray) -> None:
    for returned in (through_bytes(array), through_json(array)):
        assert returned.shape == array.shape
        assert returned.tolist() == array.tolist()
    theirs = triton.InferInput("x", list(array.shape), "BYTES")
    theirs.set_data_from_numpy(array)
    assert encode_binary("x", array)[1] == theirs._get_binary_data()


@given(texts(st.binary(max_size=6)))
def test_bytes_round_trip(array: np.ndarray) -> None:
    flat = through_bytes(array).ravel().tolist()
    assert [one.encode() if isinstance(one, str) else one for one in flat] == array.ravel().tolist()


@given(nps.arrays(np.uint16, SHAPES))
def test_bfloat16_upper_half_of_float32(bits: np.ndarray) -> None:
    wide = through_bytes(BF16(bits))
    np.testing.assert_array_equal(wide, (bits.astype(np.uint32) << 16).view(np.float32))
    back = BF16.of(wide).bits
    np.testing.assert_array_equal(np.where(np.isnan(wide), 0, back), np.where(np.isnan(wide), 0, bits))


def test_bfloat16_rounding() -> None:
    values = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7FFFFF], np.uint32).view(np.float32)
    assert BF16.of(values).bits.tolist() == [0x3F80, 0x3F82, 0x3F81, 0x3F80, 0x7F80]


@given(st.binary(max_size=24), st.sampled_from(["BYTES", "FP32", "BF16", "INT64", "BOOL", "WORDS"]))
def test_any_bytes_decode_or_refused(raw: bytes, datatype: str) -> None:
    try:
        returned = decoded({"name": "y", "datatype": datatype, "shape": [2]}, memoryview(raw))
    except InvalidResponse:
        return
    assert returned.shape == (2,)


@given(nps.arrays(FLOATS, SHAPES), st.booleans())
def test_request_reads_as_response(array: np.ndarray, binary: bool) -> None:
    call = infer_call({"x": array}, Wanted("m", 1, binary=binary))
    assert (call.method, call.path, call.safe) == ("POST", inference_path("m", 1, "infer"), True)
    assert call.body is not None
    body = call.body(None)
    head = int(body.headers.get("inference-header-content-length", len(body.content)))
    said = json.loads(body.content[:head])
    answer = {"model_name": "m", "model_version": "1", "outputs": said["inputs"]}
    content = json.dumps(answer).encode()
    headers = {"inference-header-content-length": str(len(content))} if binary else {}
    response = read_response(Answer(200, headers, content + body.content[head:]))
    np.testing.assert_array_equal(response.outputs["x"], array)
    shown = response_json(response)["outputs"][0]
    np.testing.assert_array_equal(decoded(shown), array)


def test_json_floats_in_fewest_digits() -> None:
    said, raw = encode_binary("y", np.array([0.1, 1e-45, 3.4e38, np.nan], np.float32))
    content = json.dumps({"model_name": "m", "model_version": "1", "outputs": [said]}).encode()
    headers = {"inference-header-content-length": str(len(content))}
    shown = response_json(read_response(Answer(200, headers, content + bytes(raw))))
    assert shown["outputs"][0]["data"] == [0.1, 1e-45, 3.4e38, "NaN"]


def test_null_output_is_nan() -> None:
    output = {"name": "y", "datatype": "FP16", "shape": [4], "data": [1.0, None, "NaN", "-Infinity"]}
    np.testing.assert_array_equal(decoded(output), np.array([1, np.nan, np.nan, -np.inf], np.float16))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([1j]), "is of dtype complex128"),
        (np.array(["2026-01-01"], "datetime64[D]"), "is of dtype datetime64"),
        (np.array([b"\xff"], object), "not UTF-8"),
        (np.array([1], object), "holds a int"),
        (BF16(np.array([1.0])), "an array of uint16"),
    ],
)
def test_unsendable_arrays_refused(array: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        encode_json("x", array)


def test_text_keeps_trailing_zeros() -> None:
    assert through_bytes(fit(["a\0", b"b\0"], MetadataTensor("x", "BYTES", (-1,)))).tolist() == ["a\0", "b\0"]
