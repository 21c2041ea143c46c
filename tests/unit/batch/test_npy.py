"""NPY: rows on axis 0, read without copies or pickle; failed records are NaN and listed in errors.jsonl."""

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maas.batch import formats
from maas.batch.formats import Options
from maas.batch.formats.npy_writer import file_names
from maas.batch.formats.parquet.parquet_reader import Carried
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, echoed, records, tensor

X = [tensor("x", "FP32", -1, 2)]
CUTS = st.builds(Cut, st.integers(1, 120), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
DTYPES = {
    "FP32": "<f4 >f4 <f8 >f8 <f2 <i2",
    "INT16": "<i2 >i2 <i8 |u1",
    "BOOL": "|b1",
    "BYTES": "<U3 >U3 |S3",
    "UINT8": "<i4",
}
KINDS = st.sampled_from([(datatype, dtype) for datatype, dtypes in DTYPES.items() for dtype in dtypes.split()])


def saved(array: Any, **options: Any) -> MemorySource:
    file = io.BytesIO()
    np.save(file, array, **options)
    return MemorySource(file.getvalue())


def read(parts: list[dict[str, bytes]], name: str = "x") -> Any:
    return np.concatenate([np.load(io.BytesIO(part[f"{name}.npy"])) for part in parts])


@given(st.data(), KINDS, arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=7), CUTS)
def test_npy_cuts_do_not_change_rows(data: Any, kind: tuple[str, str], shape: Any, cut: Cut) -> None:
    datatype, dtype = kind
    array = data.draw(arrays.arrays(np.dtype(dtype), shape))
    signature = [tensor("x", datatype, -1, *([-1] * (len(shape) - 1)))]
    source = saved(array)
    if len(array) and not array.nbytes:
        with pytest.raises(InvalidRequest, match=r"input: got . rows of no bytes, expected rows that hold something"):
            formats.plan("npy", source, 1000)
        return
    one_by_one = records(chunks("npy", source, signature, Cut()))
    assert len(one_by_one) == len(array)
    assert records(chunks("npy", source, signature, cut)) == one_by_one
    if not any(isinstance(record, str) for record in one_by_one) and len(array):
        back = read(echoed("npy", source, signature, cut))
        expected = np.char.decode(array) if array.dtype.kind == "S" else array
        np.testing.assert_equal(back.tolist(), expected.astype(back.dtype).tolist())


def test_read_ahead_reads_each_byte_once_without_copies() -> None:
    array = np.arange(8_000_000, dtype=np.float32).reshape(-1, 2)
    source = saved(array)
    plan = formats.plan("npy", source, 1 << 30)
    assert source.read_bytes <= 16 << 10
    source.reads.clear()
    reader = formats.reader("npy", plan.layout, Options(), X)
    first, *rest = reader.chunks(source, 0, len(array), 1_000)
    assert first.inputs["x"].base is not None
    np.testing.assert_array_equal(np.concatenate([one.inputs["x"] for one in (first, *rest)]), array)
    assert source.read_bytes == array.nbytes
    assert len(source.reads) == 6  # of 1, 2, 4 and then 8 MB


def test_out_of_range_values_are_errors_of_their_rows() -> None:
    source = saved(np.array([[1.0, 2.0], [1e300, 0], [np.inf, np.nan]]))
    (part,) = echoed("npy", source, X, Cut(batch_rows=8))
    np.testing.assert_equal(read([part]), np.array([[1, 2], [np.nan, np.nan], [np.inf, np.nan]], np.float32))
    assert json.loads(part["errors.jsonl"]) == {
        "record": 1,
        "error": "inputs[x].data: got a number out of range, expected FP32 values",
    }
    (part,) = echoed("npy", saved(np.array([1, 300])), [tensor("x", "UINT8", -1)], Cut(batch_rows=8))
    assert read([part]).tolist() == [1, 0]
    (part,) = echoed("npy", saved(np.array([b"a", b"\xff"])), [tensor("x", "BYTES", -1)], Cut(batch_rows=8))
    assert read([part]).tolist() == ["a", ""]


def test_errors_count_records_from_the_beginning_of_the_file() -> None:
    source = saved(np.arange(12, dtype=np.float32).reshape(6, 2))
    parts = echoed(
        "npy", source, X, Cut(shard_bytes=24, batch_rows=3), failing={0: "no luck", 1: "nor here", 2: "none"}
    )
    told = [json.loads(line) for part in parts for line in part["errors.jsonl"].splitlines()]
    assert [one["record"] for one in told] == [0, 1, 2, 3, 4, 5]
    assert np.isnan(read(parts)).all() and read(parts).shape == (6, 2)


def test_output_names_as_file_names_and_empty_arrays() -> None:
    outputs = [tensor("a/b:0", "FP32", -1, 3), tensor("a_b:0", "INT8", -1), tensor("w", "BYTES", -1, -1)]
    files = formats.writer("npy", {}, Options(), outputs).finish()
    loaded = {name: np.load(io.BytesIO(body)) for name, body in files.items()}
    assert {name: (array.shape, array.dtype.kind) for name, array in loaded.items()} == {
        "a_b_0.npy": ((0, 3), "f"),
        "a_b_0_1.npy": ((0,), "i"),
        "w.npy": ((0, 0), "U"),
    }


def test_npy_output_of_two_shapes_is_refused() -> None:
    writer = formats.writer("npy", {}, Options(), [tensor("y", "FP32", -1, -1)])
    (part,) = chunks("npy", saved(np.zeros((2, 2), np.float32)), X, Cut())
    writer.add(part[0], {"y": np.zeros((1, 2), np.float32)}, {})
    with pytest.raises(InvalidRequest, match=r"output 'y': got records of shapes \[2\] and \[3\], expected one shape"):
        writer.add(part[1], {"y": np.zeros((1, 3), np.float32)}, {})


@pytest.mark.parametrize("datatype", ["FP32", "BYTES"])
def test_npy_output_of_two_shapes_within_a_chunk_is_refused(datatype: str) -> None:
    ragged = np.empty(2, object)
    ragged[:] = [np.zeros(2, np.float32), np.zeros(3, np.float32)]
    writer = formats.writer("npy", {}, Options(), [tensor("y", datatype, -1, -1)])
    ((chunk,),) = chunks("npy", saved(np.zeros((2, 2), np.float32)), X, Cut(batch_rows=2))
    with pytest.raises(InvalidRequest, match="output 'y': got records of several shapes, expected one shape, or JSONL"):
        writer.add(chunk, {"y": ragged}, {})


@pytest.mark.parametrize("format_", ["npy", "parquet"])
@pytest.mark.parametrize("failing", [{}, {0: "no luck", 2: "nor here"}, {0: "no", 1: "nor", 2: "none"}])
def test_writer_size_counts_failed_records(format_: str, failing: dict[int, str]) -> None:
    outputs = [tensor("y", "FP64", -1, 500)]
    writer = formats.writer(format_, {"columns": []}, Options(), outputs)
    (part,) = chunks("npy", saved(np.zeros((3, 2), np.float32)), X, Cut(batch_rows=3))
    good = np.ones((3 - len(failing), 500))
    carried = part[0].carried if format_ == "npy" else Carried(0, {})
    for _ in range(4):
        writer.add(replace(part[0], carried=carried), {"y": good} if len(good) else {}, failing)
    assert 4 * 3 * 500 * 8 <= writer.size_bytes < 4 * 3 * (500 * 8 + 100)


def test_npy_writer_size_counts_the_widest_string() -> None:
    for words in (["a", "b" * 10_000, ""], ["b" * 10_000, "", "a"]):
        writer = formats.writer("npy", {}, Options(), [tensor("w", "BYTES", -1)])
        (part,) = chunks("npy", saved(np.zeros((3, 2), np.float32)), X, Cut(batch_rows=1))
        for chunk, word in zip(part, words, strict=True):
            writer.add(chunk, {"w": np.array([word], object)}, {})
        assert writer.size_bytes == np.load(io.BytesIO(writer.finish()["w.npy"])).nbytes == 3 * 10_000 * 4


def test_npy_string_width_limit() -> None:
    writer = formats.writer("npy", {}, Options(), [tensor("w", "BYTES", -1)])
    ((chunk,),) = chunks("npy", saved(np.zeros((4096, 2), np.float32)), X, Cut(batch_rows=4096))
    words = np.full(4096, "", object)
    words[7] = "a" * 1_000_000
    with pytest.raises(
        InvalidRequest, match=r"output 'w': got texts of 16,384,000,000 bytes, .* or JSONL for the input"
    ):
        writer.add(chunk, {"w": words}, {})


def test_unbatched_model_runs_row_by_row() -> None:
    for shape, array in (((1, 2), np.ones((3, 2))), ((1, 2), np.ones((3, 1, 2))), ((2,), np.ones((3, 2)))):
        signature = [tensor("x", "FP64", *shape)]
        read_ = [one for part in chunks("npy", saved(array), signature, Cut(batch_rows=9)) for one in part]
        assert [(one.rows, one.whole, one.inputs["x"].shape) for one in read_] == [(1, True, shape)] * 3
        assert read(echoed("npy", saved(array), signature, Cut())).shape == (3, 2)


def headed(header: str) -> MemorySource:
    """A file with this header and no data."""
    return MemorySource(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())


def described(shape: str, descr: str = "<f4") -> MemorySource:
    return headed(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (MemorySource(b""), "an empty file"),
        (MemorySource(b"PK\x03\x04 an archive"), "no readable header"),
        (saved(np.asfortranarray(np.ones((3, 2)))), "Fortran order"),
        (saved(np.array([{}, None]), allow_pickle=True), "Python objects"),
        (saved(np.zeros(2, [("a", "f4")])), "an array of numbers or strings"),
        (saved(np.zeros(2, "M8[s]")), "an array of numbers or strings"),
        (MemorySource(saved(np.ones(2)).data.replace(b"NUMPY\x01", b"NUMPY\x03")), "version 3.0"),
        (saved(np.float32(1)), "a single value"),
        (MemorySource(saved(np.ones((3, 2))).data[:-1]), r"175 bytes, expected 176 for float64 of shape \[3, 2\]"),
        (MemorySource(saved(np.ones((3, 2))).data * 2), "352 bytes, expected 176"),
        (MemorySource(saved(np.ones((3, 2))).data[:60]), "no readable header"),
        *(
            (headed(text), "no readable header")
            for text in ("-" * 9000, "(" * 150, "(" * 9000, "[" * 60, "", "\0", "'")
        ),
        *(
            (headed(text), "no readable header")
            for text in ("1if 2else 3", "{1: 2}", "f()", '"""', "  1\n 2", "9" * 5000)
        ),
        *((described("(1,)", text), "no readable header") for text in ("f4,(", "nope", ",", "(2,", "-" * 5000)),
        (described("(1000000000000000000, 0)"), "1,000,000,000,000,000,000 rows of no bytes"),
        (described("(1000000000000000000,)", "<U0"), "1,000,000,000,000,000,000 rows of no bytes"),
        (described("(-1, 0)"), "a shape that no array has"),
        (described("(-1, -2)"), "a shape that no array has"),
        (described("(0, -2)"), "a shape that no array has"),
        (described(f"({'9' * 4000}, {'9' * 4000})"), "a shape that no array has"),
        (described("(4294967296, 4294967296)"), "a shape that no array has"),
    ],
)
def test_unreadable_npy_is_refused(source: MemorySource, said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"input: got .*{said}|input: got .*expected {said}"):
        formats.plan("npy", source, 1000)


@pytest.mark.parametrize(
    ("array", "signature", "said"),
    [
        (np.ones((3, 2)), [tensor("x", "INT64", -1, 2)], "input: got float64, expected values that can be INT64"),
        (np.ones((3, 2), bool), X, "input: got bool, expected values that can be FP32"),
        (np.array(["a"]), [tensor("x", "FP32", -1)], "input: got <U1, expected values that can be FP32"),
        (np.ones((3, 3)), X, r"input: got rows of shape \[3\], expected \[2\] for input 'x'"),
        (np.ones(3), X, r"input: got rows of shape \[\], expected \[2\]"),
        (np.ones((3, 2)), [*X, tensor("z", "FP32", -1)], r"input: got one array, expected .* \['x', 'z'\]"),
    ],
)
def test_misfit_array_fails_the_job(array: Any, signature: Any, said: str) -> None:
    layout = formats.plan("npy", saved(array), 1000).layout
    with pytest.raises(InvalidRequest, match=said):
        formats.reader("npy", layout, Options(), signature)
    with pytest.raises(InvalidRequest, match="join: got it for NPY"):
        formats.reader("npy", layout, Options(join=True), signature)


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        (["y", "Y", "y!", "y?"], ["y", "Y_1", "y_", "y__3"]),
        (["y__2", "y!", "y?"], ["y__2", "y_", "y__2_2"]),
        (["a/b", "..", "é\x1b", "x" * 5000, "X" * 5000], ["a_b", "..", "__", "x" * 100, "X" * 100 + "_4"]),
    ],
)
def test_names_of_files_differ_where_case_does_not_count(outputs: list[str], names: list[str]) -> None:
    assert file_names(outputs) == [f"{name}.npy" for name in names]
