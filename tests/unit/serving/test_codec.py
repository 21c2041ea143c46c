"""Requests and answers on the wire: round trips in JSON and binary, wrong sizes, compression."""

import gzip
import json
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maas.errors import AnswerTooLarge, InvalidRequest, InvalidTensor, MaasError, TooLarge
from maas.records import MetadataTensor, ModelVersion, Status
from maas.serving import oip, tensors
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip_reply import ROUNDED_TWICE, OutputTensor, Reply, reply
from maas.web import compression

VERSION = ModelVersion("m", 1, Status.READY, (), "", "", 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def arrays(datatype: str) -> st.SearchStrategy[Array]:
    dtype = DTYPES[datatype]
    return hnp.arrays(dtype, SHAPES, elements=TEXT if dtype.hasobject else None, fill=st.nothing())


ANY_TENSOR = st.sampled_from(sorted(DTYPES)).flatmap(lambda name: st.tuples(st.just(name), arrays(name)))


def echoed(answer: Reply) -> oip.InferenceRequest:
    """The outputs of an answer as the inputs of a request: the two halves of the protocol are one format."""
    end = answer.header_length or len(answer.body)
    document = json.loads(answer.body[:end])
    body = json.dumps({"inputs": document["outputs"]}).encode()
    length = None if answer.header_length is None else str(len(body))
    return oip.parse_request(body + answer.body[end:], length)


def same(one: Array, other: Array) -> bool:
    if one.dtype.hasobject:
        return one.shape == other.shape and one.tolist() == other.tolist()
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def decoded(request: oip.InferenceRequest) -> dict[str, Array]:
    signature = [MetadataTensor(one.name, one.datatype, (-1,) * len(one.shape)) for one in request.inputs]
    return tensors.decode(request.inputs, signature)


@pytest.mark.full
@given(st.lists(ANY_TENSOR, min_size=1, max_size=4))
def test_binary_round_trip(given_tensors: list[tuple[str, Array]]) -> None:
    outputs = [OutputTensor(f"t{n}", name, array, True) for n, (name, array) in enumerate(given_tensors)]
    came = decoded(echoed(reply(VERSION, None, outputs)))
    assert all(same(output.array, came[output.name]) for output in outputs)


@given(st.lists(st.tuples(ANY_TENSOR, st.booleans()), min_size=1, max_size=4))
def test_mixed_json_and_binary_round_trip(given_tensors: list[tuple[tuple[str, Array], bool]]) -> None:
    outputs = [
        OutputTensor(f"t{n}", name, array, binary or name == "BF16")
        for n, ((name, array), binary) in enumerate(given_tensors)
    ]
    came = decoded(echoed(reply(VERSION, "id", outputs)))
    for output in outputs:
        if output.binary or output.array.dtype.kind != "f":
            assert same(output.array, came[output.name])
        else:
            assert same(*(with_one_nan(array) for array in (output.array, came[output.name])))


def with_one_nan(array: Array) -> Array:
    """A NaN has 2^52 forms, and one word."""
    return np.where(np.isnan(array), np.array(np.nan, array.dtype), array)


@pytest.mark.parametrize("beside", [0, np.nan])
def test_float_that_double_rounding_changes(beside: float) -> None:
    array = np.array([ROUNDED_TWICE, -ROUNDED_TWICE, beside, 0.1], np.float32)
    assert np.float32(float(str(ROUNDED_TWICE))) != ROUNDED_TWICE
    assert same(decoded(echoed(reply(VERSION, None, [OutputTensor("t", "FP32", array)])))["t"], array)


def test_every_fp16_round_trips_in_json() -> None:
    array = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    for given_array in (array[np.isfinite(array)], array):
        came = decoded(echoed(reply(VERSION, None, [OutputTensor("t", "FP16", given_array)])))["t"]
        assert same(with_one_nan(came), with_one_nan(given_array))


@given(arrays("FP32"))
def test_column_major_arrays(array: Array) -> None:
    for binary in (True, False):
        came = decoded(echoed(reply(VERSION, None, [OutputTensor("t", "FP32", array.T, binary)])))["t"]
        np.testing.assert_array_equal(came, array.T)


def binary_request(raw: bytes, size: int | None = None, shape: tuple[int, ...] = (2,), datatype: str = "FP32") -> Any:
    parameters = {"binary_data_size": len(raw) if size is None else size}
    document = {"inputs": [{"name": "x", "shape": shape, "datatype": datatype, "parameters": parameters}]}
    header = json.dumps(document).encode()
    return oip.parse_request(header + raw, str(len(header)))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (9, "got 9, expected at most the remaining 8 bytes of the body"),
        (7, "got 1 bytes after the last tensor"),
        (-1, "expected a whole number"),
        (1.5, "expected a whole number"),
        ("8x", "expected a whole number"),
        (1 << 64, "expected a whole number"),
    ],
)
def test_wrong_binary_data_size_is_refused(size: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        binary_request(bytes(8), size)


@pytest.mark.parametrize("length", ["-1", "1000", "x", "", "1e2", "9" * 50, "0" * 5000, "0" * 20 + "9", "٣"])
def test_wrong_header_length_is_refused(length: str) -> None:
    with pytest.raises(InvalidRequest, match="inference-header-content-length: got"):
        oip.parse_request(b'{"inputs": []}', length)


@pytest.mark.parametrize(
    ("raw", "datatype", "said"),
    [
        (bytes(4), "FP32", "got 4 bytes, expected 8"),
        (b"\1\2", "BOOL", "a byte above 1"),
        (bytes(4), "BYTES", "at least 8 for 2 elements"),
        (b"\4\0\0\0abc" + bytes(4), "BYTES", "at least 12: element 1"),
        (b"\xff\xff\xff\xffabcdef", "BYTES", "at least 4294967299: element 0"),
        (b"\1\0\0\0\xff\0\0\0\0", "BYTES", "element 0 that is not UTF-8"),
        (bytes(8) + b"x", "BYTES", "expected 8 for 2 elements"),
    ],
)
def test_binary_data_of_the_wrong_size_is_refused(raw: bytes, datatype: str, said: str) -> None:
    """https://github.com/triton-inference-server/server/issues/7171 read another request's memory there."""
    with pytest.raises(InvalidTensor, match=said):
        decoded(binary_request(raw, datatype=datatype))


def test_data_and_binary_data_size_together_are_refused() -> None:
    header = b'{"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1],"parameters":{"binary_data_size":1}}]}'
    with pytest.raises(InvalidRequest, match="one of the two"):
        oip.parse_request(header + b"\1", str(len(header)))


@pytest.mark.parametrize(
    ("shape", "body", "expected"),
    [((-1, 2), bytes(8), (1, 2)), ((-1, -1), bytes(12), (1, 3)), ((2,), bytes(8), (2,)), ((), bytes(4), ())],
)
def test_raw_body_shape_from_its_size(shape: tuple[int, ...], body: bytes, expected: tuple[int, ...]) -> None:
    assert tensors.raw_input(memoryview(body), [MetadataTensor("x", "FP32", shape)])["x"].shape == expected


@pytest.mark.parametrize("shape", [(-1, -1, -1), (-1, 2), (3,), (-1, 0, -1)])
def test_raw_body_without_a_fitting_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest):
        tensors.raw_input(memoryview(bytes(10)), [MetadataTensor("x", "FP32", shape)])


def test_raw_body_of_text() -> None:
    assert tensors.raw_input(memoryview(b"text"), [MetadataTensor("x", "BYTES", (-1, 1))])["x"].tolist() == [["text"]]
    with pytest.raises(InvalidRequest, match=r"expected JSON with the inputs \['a', 'b'\]"):
        tensors.raw_input(memoryview(b""), [MetadataTensor("a", "FP32", ()), MetadataTensor("b", "FP32", ())])


def test_dimensions_of_one_name_must_agree() -> None:
    sizes = {"a": np.zeros((2, 3)), "b": np.zeros((2,)), "c": np.zeros((4,))}
    tensors.check_symbols(sizes, {"a": ["n", None], "b": ["n"], "c": ["m"]})
    with pytest.raises(InvalidTensor, match="expected n=2, as in input 'a'"):
        tensors.check_symbols(sizes, {"a": ["n", None], "b": ["n"], "c": ["n"]})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "GZIP ", "x-gzip"])
def test_compressed_bodies(encoding: str) -> None:
    name = "deflate" if encoding == "deflate" else "gzip"
    packed = compression.encoded(b"body", name)
    assert compression.decoded(packed, encoding) == b"body"
    for broken in (packed[:-3], packed + b"more", b"body", b""):
        with pytest.raises(InvalidRequest):
            compression.decoded(broken, encoding)


def test_gzip_of_several_members() -> None:
    """RFC 1952 allows it; `cat a.gz b.gz` and parallel compressors write it."""
    half = b"x" * 10_000
    assert compression.decoded(gzip.compress(half) + gzip.compress(b"") + gzip.compress(half), "gzip") == half * 2
    many = gzip.compress(b"y") * 20_000
    assert compression.decoded(many, "gzip") == b"y" * 20_000
    with pytest.raises(TooLarge):
        compression.decoded(many, "gzip", 19_999)
    for broken in (many[:-1], many + b"\0", many + b"\x1f\x8b"):
        with pytest.raises(InvalidRequest):
            compression.decoded(broken, "gzip")
    with pytest.raises(InvalidRequest, match="got 5 bytes after deflate"):
        compression.decoded(zlib.compress(half) + b"extra", "deflate")


def test_compression_bomb_is_refused() -> None:
    with pytest.raises(TooLarge, match="limit of 67,108,864 bytes after unpacking gzip"):
        compression.decoded(gzip.compress(bytes(compression.MAX_BYTES + 1)), "gzip")
    with pytest.raises(InvalidRequest, match="got br, expected gzip or deflate"):
        compression.decoded(b"", "br")
    with pytest.raises(TooLarge, match="limit of 9 bytes after unpacking deflate"):
        compression.decoded(zlib.compress(bytes(10)), "deflate", 9)


def test_json_size_limit() -> None:
    """Of 64 MB of lists in lists Python makes three gigabytes; packed, they are a hundred kilobytes."""
    lists = b"[[]]," * (oip.MAX_JSON_BYTES // 5)
    body = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [' + lists + b"[]]}]}"
    for length in (None, str(len(body))):
        with pytest.raises(TooLarge, match="expected at most 16,777,216: send tensors as binary data"):
            oip.parse_request(body, length)
    zeros = bytes(oip.MAX_JSON_BYTES + 4)
    assert decoded(binary_request(zeros, shape=(len(zeros) // 4,)))["x"].nbytes == len(zeros)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("array", [np.zeros(1000, np.float32), np.array(["text"] * 1000, object)])
def test_answer_over_its_limit_is_not_encoded(array: Array, binary: bool) -> None:
    output = OutputTensor("t", "BYTES" if array.dtype.hasobject else "FP32", array, binary)
    assert len(reply(VERSION, None, [output], max_bytes=10_000).body) <= 10_000
    least = 4000 if binary else 3000 if array.dtype.hasobject else 2000
    with pytest.raises(AnswerTooLarge, match=f"has at least {least:,} bytes, the limit is 1,999"):
        reply(VERSION, None, [output], max_bytes=1999)


@pytest.mark.parametrize("outputs", ["", 0, False, {}, "y"])
def test_outputs_must_be_an_array(outputs: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"outputs: got .*, expected an array"):
        oip.parse_request(json.dumps({"inputs": [], "outputs": outputs}).encode())


@pytest.mark.full
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "body: got nothing, expected JSON"),
        (b"{\xff}", r"body: not UTF-8, as JSON is \(byte 0xff at 1\)"),
        ("{}".encode("utf-16"), "body: not UTF-8, as JSON is"),
        (
            b'{"instances": [[1]]}',
            "inputs: got nothing, expected an array, each item an object with name, shape, .*: rows in instances",
        ),
        (b'{"inputs": [[1]]}', r"inputs\[0\]: got an array, expected an object with name, shape, datatype and data"),
        (b"{", r"body: not JSON \(.*line 1 column 2"),
        (b'{"inputs": [{"name": "x", "shape": ["1"], "datatype": "FP32", "data": [1]}]}', r"shape: got a string, exp"),
        (b'{"inputs": [{"name": "x", "shape": [true], "datatype": "FP32", "data": [1]}]}', r"shape: got a boolean"),
        (
            b'{"inputs": [{"name": "x", "shape": [-1], "datatype": "FP32", "data": [1]}]}',
            r"shape: got -1, expected whol",
        ),
    ],
)
def test_body_that_is_no_request(body: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        oip.parse_request(body)


@pytest.mark.parametrize("outputs", ["null", "[]"])
def test_empty_outputs_mean_all(outputs: str) -> None:
    assert oip.parse_request(b'{"inputs": [], "outputs": %s}' % outputs.encode()).outputs is None


@pytest.mark.parametrize("beside", [{}, {"parameters": {"binary_data_output": False}}])
def test_boolean_among_numbers_is_refused(beside: dict[str, Any]) -> None:
    tensor = {"name": "x", "datatype": "INT64", "shape": [2]}
    document = beside | {"inputs": [tensor | {"data": [1, 2]}]}
    assert decoded(oip.parse_request(json.dumps(document).encode()))["x"].tolist() == [1, 2]
    document["inputs"] = [tensor | {"data": [1, True]}]
    with pytest.raises(InvalidTensor, match="a boolean among numbers"):
        decoded(oip.parse_request(json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [(None, ()), ("gzip", ("gzip",)), ("gzip;q=0", ()), ("deflate, gzip;q=0.5, br", ("gzip", "deflate")), ("br", ())],
)
def test_accepted_encodings(accept: str | None, expected: tuple[str, ...]) -> None:
    assert compression.accepted(accept) == expected


@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=6)), st.sampled_from([None, "gzip", "deflate"]))
@settings(max_examples=300)
def test_random_bytes_parse_or_raise_maas_error(body: bytes, length: str | None, encoding: str | None) -> None:
    with suppress(MaasError):
        plain = compression.decoded(zlib.compress(body) if encoding == "deflate" else body, encoding)
        decoded(oip.parse_request(plain, length))
