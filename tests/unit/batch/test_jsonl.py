"""JSON Lines: cuts do not change records, and a bad record is one error record."""

import gzip
import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.batch import formats
from maas.batch.formats import Options
from maas.batch.formats.blocks import BLOCK_BYTES
from maas.batch.formats.text.lines import MAX_CHUNK_BYTES, MAX_LINE_BYTES
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, echoed, records, tensor

X = [tensor("x", "FP32", -1, 2)]
MIXED = [
    tensor("x", "FP32", -1, -1),
    tensor("word", "BYTES", -1),
    tensor("n", "INT64", -1, 1),
    tensor("extra", "BOOL", -1, 2, optional=True),
]
CUTS = st.builds(Cut, st.integers(1, 120), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
OBJECTS = st.fixed_dictionaries(
    {
        "x": st.lists(
            st.floats(width=32, allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70), max_size=3
        ),
        "word": st.text(max_size=4) | st.sampled_from(["größer 🦆", "true", "\n"]),
        "n": st.integers(-(2**63), 2**64) | st.sampled_from([True, 1.5, [7], "1"]),
    },
    optional={"extra": st.sampled_from([[True, False], [False, False], [1, 0], None]), "id": st.integers()},
)
ODD = st.sampled_from(
    ["nope", "{", "7", "[1, 2", '{"x": [1], "word": "w"}', '{"x": [true], "word": "", "n": 1}', "null"]
)
REQUEST = json.dumps(
    {
        "id": "r",
        "inputs": [
            {"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [1, 2]},
            {"name": "word", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
            {"name": "n", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]},
        ],
    }
)
LINES = st.lists(
    OBJECTS.map(json.dumps)
    | OBJECTS.map(lambda one: json.dumps(one, ensure_ascii=False))
    | ODD
    | st.just(REQUEST)
    | st.sampled_from(["", "  "]),
    max_size=12,
)


def source(text: str) -> MemorySource:
    return MemorySource(text.encode())


def lines_of(files: list[dict[str, bytes]]) -> list[Any]:
    return [json.loads(line) for part in files for line in part["jsonl"].splitlines()]


@pytest.mark.full
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), CUTS)
def test_jsonl_cuts_do_not_change_records(lines: list[str], newline: str, ends: bool, bom: bool, cut: Cut) -> None:
    text = newline.join(lines) + (newline if ends and lines else "")
    data = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    one_by_one = records(chunks("jsonl", MemorySource(data), MIXED, Cut()))
    assert len(one_by_one) == sum(1 for line in lines if line.strip())
    assert records(chunks("jsonl", MemorySource(data), MIXED, cut)) == one_by_one
    packed = gzip.compress(data)
    assert records(chunks("jsonl.gz", MemorySource(packed), MIXED, cut)) == one_by_one
    whole, parts = (
        echoed("jsonl", MemorySource(data), MIXED, how, Options(join=True), outputs=MIXED[:3]) for how in (Cut(), cut)
    )
    assert b"".join(part["jsonl"] for part in parts) == b"".join(part["jsonl"] for part in whole)


@given(st.lists(st.tuples(st.lists(st.floats(width=32), min_size=2, max_size=2), st.text(max_size=5))), CUTS)
def test_values_round_trip(rows: list[tuple[list[float], str]], cut: Cut) -> None:
    signature = [*X, tensor("word", "BYTES", -1, 1)]
    text = "\n".join(json.dumps({"x": x, "word": word}) for x, word in rows)
    said = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    found = [
        ([np.float32(said.get(value, value)) for value in record["x"]], record["word"])
        for record in lines_of(echoed("jsonl", source(text), signature, cut))
    ]
    np.testing.assert_equal(found, [([np.float32(value) for value in x], [word]) for x, word in rows])


@pytest.mark.parametrize("format_", ["jsonl", "jsonl.gz"])
def test_empty_file_has_no_records(format_: str) -> None:
    for text in (b"", b"\xef\xbb\xbf", b"\n\n \r\n"):
        data = gzip.compress(text) if format_ == "jsonl.gz" else text
        assert lines_of(echoed(format_, MemorySource(data), X, Cut(batch_rows=4))) == []
    assert formats.writer(format_, {}, Options(), X).finish() == {"jsonl": b""}


def test_bare_values_for_one_input() -> None:
    assert lines_of(echoed("jsonl", source('[1, 2]\n{"x": [3, 4]}\n'), X, Cut(batch_rows=4))) == [
        {"x": [1.0, 2.0]},
        {"x": [3.0, 4.0]},
    ]
    flat = [tensor("n", "INT8", -1)]
    assert lines_of(echoed("jsonl", source("1\n-2\n"), flat, Cut(batch_rows=4))) == [{"n": 1}, {"n": -2}]


def test_integer_outputs_are_exact() -> None:
    """onnxruntime returns C's long long, another NumPy type than int64."""
    signature = [tensor("n", "INT64", -1)]
    writer = formats.writer("jsonl", {}, Options(), signature)
    ((chunk,),) = chunks("jsonl", source("1\n-2\n"), signature, Cut(batch_rows=4))
    writer.add(chunk, {"n": np.array([1, -2], np.longlong)}, {})
    assert writer.finish() == {"jsonl": b'{"n":1}\n{"n":-2}\n'}


def test_protocol_request_as_a_record() -> None:
    text = REQUEST + '\n{"x": [1], "word": "w", "n": 3}\n'
    request, plain = lines_of(echoed("jsonl", source(text), MIXED[:3], Cut(batch_rows=4)))
    assert request["id"] == "r"
    assert request["outputs"][0] == {"name": "x", "datatype": "FP32", "shape": [2, 1], "data": [1.0, 2.0]}
    assert plain == {"x": [1.0], "word": "w", "n": [3]}
    joined, _ = lines_of(echoed("jsonl", source(text), MIXED[:3], Cut(batch_rows=4), Options(join=True)))
    assert joined == json.loads(REQUEST) | {"outputs": request["outputs"]}


def test_unbatched_model_with_and_without_leading_1() -> None:
    signature = [tensor("x", "FP32", 1, 2, 2), tensor("k", "INT64")]
    text = '{"x": [[1, 2], [3, 4]], "k": 1}\n{"x": [[[1, 2], [3, 4]]], "k": 2}\n{"x": [[1, 2]], "k": 3}\n'
    read = [chunk for part in chunks("jsonl", source(text), signature, Cut(batch_rows=8)) for chunk in part]
    assert [(chunk.rows, chunk.whole) for chunk in read] == [(1, True), (1, True), (1, False)]
    assert read[0].inputs["x"].shape == (1, 2, 2)
    first, second, third = lines_of(echoed("jsonl", source(text), signature, Cut(batch_rows=8)))
    assert first == {"x": [[1.0, 2.0], [3.0, 4.0]], "k": 1}
    assert second == first | {"k": 2}
    assert third["record"] == {"x": [[1, 2]], "k": 3}


def test_join_writes_fields_first_and_outputs_win() -> None:
    text = '{"id": 7, "x": [1, 2], "y": "old"}\n[3, 4]\n'
    parts = echoed("jsonl", source(text), X, Cut(batch_rows=4), Options(join=True))
    assert parts[0]["jsonl"] == b'{"id":7,"x":[1.0,2.0],"y":"old"}\n{"input":[3,4],"x":[3.0,4.0]}\n'


def test_failed_record_keeps_its_place() -> None:
    parts = echoed("jsonl", source("[1,2]\n[3,4]\n[5,6]\n"), X, Cut(batch_rows=3), failing={1: "no luck"})
    assert lines_of(parts) == [{"x": [1.0, 2.0]}, {"error": "no luck", "record": [3, 4]}, {"x": [5.0, 6.0]}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nope", "record: not JSON"),
        ('{"y": 1}', r"record: got \['y'\], expected also \['x'\]"),
        ('{"x": [1, 2, 3]}', r"inputs\[x\].data: got 3 elements of shape \[1, 3\], expected 2"),
        ('{"x": ["1", 2]}', r"inputs\[x\].data: got strings, expected FP32"),
        ('{"x": [true, 2]}', r"inputs\[x\].data: got booleans, expected FP32"),
        ('{"x": [null, 2]}', r"inputs\[x\].data: got null, expected FP32 values"),
        ('{"x": [1e39, 2]}', r"inputs\[x\].data: got a number out of range"),
        ('{"inputs": []}', r"inputs: got \[\], expected also \['x'\]"),
        ("\xff", r"record: not UTF-8, as JSON is \(byte 0xff at 0\)"),
        ("[", "record: got the first line of a longer value, expected a whole record in each line"),
    ],
)
def test_bad_record_fails_alone(line: str, said: str) -> None:
    text = f"[1, 2]\n{line}\n[3, 4]\n".encode("latin-1")
    first, bad, last = lines_of(echoed("jsonl", MemorySource(text), X, Cut(batch_rows=8)))
    assert (first, last) == ({"x": [1.0, 2.0]}, {"x": [3.0, 4.0]})
    assert re.match(said, bad["error"]), bad["error"]
    assert "record" in bad


@pytest.mark.parametrize("batch_rows", [1, 8])
@pytest.mark.parametrize("depth", [200, 252, 300, 700, 1000, 2000])
def test_deeply_nested_record_fails_alone(depth: int, batch_rows: int) -> None:
    nested, false = "[" * depth + "]" * depth, "[" * depth + "false" + "]" * depth
    good = f'{{"x": [1, 2], "more": {nested}}}'
    bad = [
        nested,
        f'{{"x": {nested}}}',
        f'{{"x": {false}, "k": 1}}',
        f'{{"more": {nested}}}',
        f'{{"inputs": [{nested}]}}',
    ]
    strange = f'{{"inputs": [{{"name": {nested}, "shape": {nested}, "datatype": {nested}, "data": {nested}}}]}}'
    lines = ["[1, 2]", *bad, strange, good, "[3, 4]"]
    for options in (Options(), Options(join=True)):
        found = lines_of(echoed("jsonl", source("\n".join(lines)), X, Cut(batch_rows=batch_rows), options))
        fails = ["error" in one for one in found]
        is_lost = depth > 1020 or (options.join and depth > 252)
        assert fails == [False, *([True] * 6), is_lost, False]
        if depth > 252:
            assert [one["record"] for one in found[1:7]] == [
                line[:1024] + "…" * (len(line) > 1024) for line in lines[1:7]
            ]
        if is_lost and depth < 1020:
            expected = "record: got more levels of JSON than can be written, expected less than 250 for join"
            assert found[7] == {"error": expected, "record": good[:1024] + "…" * (len(good) > 1024)}


def test_request_size_limit() -> None:
    data = ", ".join(["1.000000000000000000"] * 800_000)
    request = f'{{"inputs": [{{"name": "x", "shape": [400000, 2], "datatype": "FP32", "data": [{data}]}}]}}'
    first, bad, last = lines_of(echoed("jsonl", source(f"[1, 2]\n{request}\n[3, 4]\n"), X, Cut(batch_rows=8)))
    assert (first, last) == ({"x": [1.0, 2.0]}, {"x": [3.0, 4.0]})
    assert re.match(r"record: got a request of 17,\d{3},\d{3} bytes, expected at most 16,777,216, or", bad["error"])


@dataclass(eq=False)
class Endless(MemorySource):
    """Repeats one block of bytes without keeping the whole."""

    times: int = 100

    @property
    def size_bytes(self) -> int:
        return len(self.data) * self.times

    def read(self, start: int, end: int) -> bytes:
        self.reads.append((start, end))
        first = start % len(self.data)
        copies = -(-(first + end - start) // len(self.data))
        return (self.data * copies)[first : first + end - start]


@pytest.mark.full
def test_waiting_records_are_bounded() -> None:
    long = "a" * (4 << 20)
    period = f'{{"word": ["{long}"]}}\n{{"word": ["{long}", ""]}}\n'.encode()
    large = Endless(period, times=50)
    reader = formats.reader("jsonl", {}, Options(), [tensor("word", "BYTES", -1, -1)])
    found = reader.chunks(large, 0, large.size_bytes, 4096)
    for number in range(1, 13):
        assert next(found).rows == 1
        assert large.read_bytes < MAX_CHUNK_BYTES + (number + 1) * len(period) // 2 + 3 * BLOCK_BYTES


@pytest.mark.full
def test_large_record_is_read_whole_and_shown_cut() -> None:
    signature = [tensor("word", "BYTES", -1)]
    long = "ä" * (25 << 20)  # 50 MB
    text = f'{{"word": "{long}"}}\n{{"nope": "{long}"}}\n"end"\n'
    found = records(chunks("jsonl", source(text), signature, Cut(shard_bytes=20 << 20, batch_rows=4)))
    assert [type(one) for one in found] == [dict, str, dict]
    is_same = found[0]["word"] == long  # not inside assert, which would compute the difference for minutes
    assert is_same
    shown = lines_of(echoed("jsonl", source(text), signature, Cut(batch_rows=4)))[1]["record"]
    assert shown.startswith('{"nope": "ä') and len(shown) < 2000


def test_line_size_limit() -> None:
    data = b"[1,2]\n" + b"[" * (MAX_LINE_BYTES + 1) + b"\n[3,4]"
    found = lines_of(echoed("jsonl", MemorySource(data), X, Cut(shard_bytes=10 << 20, batch_rows=4)))
    assert [sorted(one) for one in found] == [["x"], ["error", "record"], ["x"]]
    assert found[1]["error"] == "record: got a line of 67,108,865 bytes, expected at most 67,108,864"


@pytest.mark.full
def test_jsonl_planning_reads_nothing() -> None:
    data = b"[1,2]\n" * 500_000
    large = MemorySource(data)
    plan = formats.plan("jsonl", large, 1 << 20)
    assert len(plan.shards) == 3
    assert large.reads == []
    reader = formats.reader("jsonl", plan.layout, Options(), X)
    assert sum(chunk.rows for chunk in reader.chunks(large, *plan.shards[1], 1000)) > 150_000
    assert large.read_bytes < (plan.shards[1][1] - plan.shards[1][0]) + (70 << 10)


def test_options_of_other_formats_fail_a_jsonl_job() -> None:
    for options in (Options(columns=("a",)), Options(exclude=("a",))):
        with pytest.raises(InvalidRequest, match="got it for JSONL"):
            formats.reader("jsonl", {}, options, X)
    with pytest.raises(InvalidRequest, match="input 'b': got BF16, which JSONL has no form for"):
        formats.reader("jsonl", {}, Options(), [tensor("b", "BF16", -1)])
    with pytest.raises(InvalidRequest, match="output 'b': got BF16, which JSONL has no form for"):
        formats.writer("jsonl", {}, Options(), [tensor("b", "BF16", -1)])
