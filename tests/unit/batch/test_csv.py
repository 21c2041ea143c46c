"""CSV: cuts do not change records, because quotes count from the beginning of the file."""

import csv
import gzip
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.batch import formats
from maas.batch.formats import Options
from maas.batch.formats.text.lines import MAX_LINE_BYTES
from support.batch.files import Cut, MemorySource, chunks, csv_rows, echoed, records, tensor

FEATURES = [tensor("x", "FP32", -1, 2)]
NAMED = [
    tensor("a", "FP32", -1, 1),
    tensor("n", "INT8", -1),
    tensor("word", "BYTES", -1, 1),
    tensor("is", "BOOL", -1, optional=True),
]
CUTS = st.builds(Cut, st.integers(1, 120), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
CELL = st.sampled_from(
    ["1", "-2.5", " 3", "1e39", "300", "NaN", "nan", "inf", "-Infinity", "", "true", "False", "0", "1_0", "0x1", "1,5"]
)
WORD = st.text('ab,"\n\r ü🦆', max_size=4)
ROWS = st.lists(st.tuples(CELL, CELL, WORD, CELL, WORD), max_size=10)
JUNK = st.text('1,"\n\r ü', max_size=40)


def table(rows: Any, header: str = "a,n,word,is,other", newline: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    text.write(header + newline)
    csv.writer(text, lineterminator=newline, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode()


def json_word(value: float) -> str:
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))


@pytest.mark.full
@given(
    ROWS,
    JUNK,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
    CUTS,
)
def test_csv_cuts_do_not_change_records(rows: Any, junk: str, newline: str, quoting: int, bom: bool, cut: Cut) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + table(rows, newline=newline, quoting=quoting) + junk.encode()
    one_by_one = records(chunks("csv", MemorySource(data), NAMED, Cut()))
    assert len(one_by_one) >= len(rows)
    assert records(chunks("csv", MemorySource(data), NAMED, cut)) == one_by_one
    assert records(chunks("csv.gz", MemorySource(gzip.compress(data)), NAMED, cut)) == one_by_one
    whole, parts = (csv_rows(echoed("csv", MemorySource(data), NAMED, how)) for how in (Cut(), cut))
    assert parts == whole
    assert len(parts) == len(one_by_one)


@pytest.mark.full
@given(st.lists(st.tuples(st.floats(width=32), st.integers(-128, 127), WORD, st.booleans())), CUTS)
def test_values_round_trip(rows: list[tuple[float, int, str, bool]], cut: Cut) -> None:
    data = table([(json_word(a), *rest, "-") for a, *rest in rows])
    echo = csv_rows(echoed("csv", MemorySource(data), NAMED, cut))
    found = [(np.float32(row["a"]), int(row["n"]), row["word"], row["is"] == "true", row["error"]) for row in echo]
    np.testing.assert_equal(found, [(np.float32(a), n, word, is_, "") for a, n, word, is_ in rows])


@given(ROWS, CUTS)
def test_joined_columns_are_unchanged(rows: Any, cut: Cut) -> None:
    data = table(rows, quoting=csv.QUOTE_ALL)
    outputs = [tensor("y", "FP32", -1, 1)]
    options = Options(join=True)
    plan = formats.plan("csv", MemorySource(data), 1 << 30)
    parts = []
    for part in chunks("csv", MemorySource(data), NAMED, cut, options):
        writer = formats.writer("csv", plan.layout, options, outputs)
        for chunk in part:
            writer.add(chunk, {"y": chunk.inputs["a"]} if chunk.inputs else {}, chunk.errors)
        parts.append(writer.finish())
    found = [[row[name] for name in ("a", "n", "word", "is", "other")] for row in csv_rows(parts)]
    assert found == [list(row) for row in rows]


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"x\n", b"x", b"\r\n"])
def test_empty_csv_gives_a_header(data: bytes) -> None:
    signature = [tensor("x", "FP32", -1, 1)]
    source = MemorySource(data)
    layout = formats.plan("csv", source, 100).layout
    formats.reader("csv", layout, Options(), signature)
    assert records(chunks("csv", source, signature, Cut())) == []
    assert formats.writer("csv", layout, Options(), signature).finish() == {"csv": b"x,error\n"}


@pytest.mark.parametrize("data", [b"x\n1.5", b"x\r\n1.5\r\n", b"x\n1.5\n\n  \n"])
def test_line_endings(data: bytes) -> None:
    parts = echoed("csv", MemorySource(data), [tensor("x", "FP32", -1, 1)], Cut(batch_rows=3))
    assert parts == [{"csv": b"x,error\n1.5,\n"}]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,nope", "column 'n': got 'nope', expected INT8 values, numbers as JSON writes them"),
        ("1,", "column 'n': got '', expected INT8 values, numbers as JSON writes them"),
        ("1,1.0", "column 'n': got '1.0', expected INT8 values"),
        ("1,128", "column 'n': got '128', expected INT8 values"),
        ("inf,1", "column 'a': got 'inf', expected FP32 values, numbers as JSON writes them"),
        ("1_0,1", "column 'a': got '1_0', expected FP32 values, numbers as JSON writes them"),
        ("1,0x1", "column 'n': got '0x1', expected INT8 values, numbers as JSON writes them"),
        ("1e39,1", "column 'a': got '1e39', expected FP32 values"),
        ("1e999,1", "column 'a': got '1e999', expected FP32 values"),
        ('"1,5",1', "column 'a': got '1,5', expected FP32 values, numbers as JSON writes them"),
        ('"",1', "column 'a': got '', expected FP32 values, numbers as JSON writes them, NaN for one that is missing"),
        (" ,1", "column 'a': got ' ', expected FP32 values, numbers as JSON writes them, NaN for one that is missing"),
        ("1", "record: got 1 values, expected 2, as in the header"),
        ("1,2,3", "record: got 3 values, expected 2, as in the header"),
        ('"1"x,2', "record: got quotes out of place (',' expected after '\"')"),
        ("\xff,1", "record: got bytes that are not UTF-8, expected text"),
    ],
)
def test_bad_record_fails_alone(row: str, said: str) -> None:
    data = f"a,n\n1.5,1\n{row}\nInfinity,3\n".encode("latin-1")
    rows = csv_rows(echoed("csv", MemorySource(data), NAMED[:2], Cut(batch_rows=8)))
    assert rows == [
        {"a": "1.5", "n": "1", "error": ""},
        {"a": "", "n": "", "error": said},
        {"a": "Infinity", "n": "3", "error": ""},
    ]


@pytest.mark.parametrize(
    ("datatype", "cells", "values"),
    [
        (
            "INT64",
            "9223372036854775807 -9223372036854775808 9223372036854775808 1.0 1e3",
            [2**63 - 1, -(2**63), None, None, None],
        ),
        ("UINT64", "18446744073709551615 -1 18446744073709551616 7", [2**64 - 1, None, None, 7]),
        (
            "FP64",
            "1e-400 0.1 123456789012345678901234567890 -0 +1 .5 5. 1e309",
            [0.0, 0.1, 123456789012345678901234567890.0, -0.0, None, None, None, None],
        ),
    ],
)
def test_csv_numbers_are_exact_to_their_limits(datatype: str, cells: str, values: list[Any]) -> None:
    data = "\n".join(["x", *cells.split()]).encode()
    for batch_rows in (1, 2, 100):
        found = records(chunks("csv", MemorySource(data), [tensor("x", datatype, -1)], Cut(batch_rows=batch_rows)))
        dtype = {"INT64": np.int64, "UINT64": np.uint64, "FP64": np.float64}[datatype]
        expected = [None if value is None else dtype(value).tobytes() for value in values]
        assert [one["x"][2] if isinstance(one, dict) else None for one in found] == expected


def test_csv_outputs_as_columns_or_json() -> None:
    outputs = [tensor("p", "FP32", -1, 2), tensor("deep", "FP32", -1, 2, 1), tensor("open", "BYTES", -1, -1)]
    writer = formats.writer("csv", {}, Options(), outputs)
    (part,) = chunks("csv", MemorySource(b"a,b\n1,2\n3,4\n"), FEATURES, Cut(batch_rows=2))
    p = np.array([[0.1, math.nan], [1e-9, 2]], np.float32)
    words = np.array([["a,", '"'], ["", "ü"]], dtype=object)
    writer.add(part[0], {"p": p, "deep": p.reshape(2, 2, 1), "open": words}, {})
    rows = list(csv.DictReader(io.StringIO(writer.finish()["csv"].decode())))
    assert rows[0] == {"p_0": "0.1", "p_1": "NaN", "deep": '[[0.1],["NaN"]]', "open": '["a,","\\""]', "error": ""}
    assert rows[1]["p_0"] == "1e-09"


def test_unbatched_model_runs_row_by_row() -> None:
    signature = [tensor("x", "FP32", 1, 2)]
    read_ = [
        chunk
        for part in chunks("csv", MemorySource(b"a,b\n1,2\n3,4\n"), signature, Cut(batch_rows=9))
        for chunk in part
    ]
    assert [(chunk.rows, chunk.whole, chunk.inputs["x"].shape) for chunk in read_] == [(1, True, (1, 2))] * 2
    assert [row["x_1"] for row in csv_rows(echoed("csv", MemorySource(b"a,b\n1,2\n3,4\n"), signature, Cut()))] == [
        "2.0",
        "4.0",
    ]


def test_stray_quote_is_bounded_by_the_line_limit() -> None:
    data = b'a,n\n1,2\n3,"4\n' + b"5,%d\n" % 10**1000 * (MAX_LINE_BYTES // 1000)
    found = records(chunks("csv", MemorySource(data), NAMED[:2], Cut(shard_bytes=20 << 20, batch_rows=9)))
    assert len(found) == 2
    assert "expected at most 67,108,864" in found[1]


def test_cell_size_limit_is_the_line_limit() -> None:
    long = '"' + "ä,\n" * 500_000 + '"'
    data = f"a,n,word\n1,2,{long}\n3,4,w\n".encode()
    found = records(chunks("csv", MemorySource(data), NAMED[:3], Cut(batch_rows=4)))
    is_whole = found[0]["word"] == [long[1:-1]]  # not inside assert, which would compute the difference for minutes
    assert is_whole
    assert found[1]["word"] == ["w"]


def test_csv_planning_reads_once() -> None:
    source = MemorySource(b"a,n\n" + b'1,"2"\n' * 500_000)
    assert len(formats.plan("csv", source, 1 << 30).shards) == 1
    assert source.read_bytes <= 80 << 10
    source.reads.clear()
    assert len(formats.plan("csv", source, 1 << 20).shards) == 3
    assert source.read_bytes < source.size_bytes + (300 << 10)
