"""Lines of numbers that are read at once give the records that lines read one by one give."""

import json
import random
from typing import Any

import numpy as np
import orjson
import pytest

from maas.batch.formats import Chunk, Options
from maas.batch.formats.text.csv_reader import CsvReader
from maas.batch.formats.text.csv_writer import CsvWriter
from maas.batch.formats.text.jsonl_reader import JsonlReader
from maas.batch.formats.text.jsonl_writer import _DUMP, JsonlWriter
from maas.batch.formats.text.number_lines import number_lines
from maas.batch.formats.text.taken import Unread
from support.batch.files import MemorySource, tensor

WIDTH = 20
ODD = [
    "-0",
    "-0.0",
    "1e400",
    "1e-400",
    "9007199254740993",
    "9223372036854775808",
    "1" * 25,
    "70000",
    "300",
    "-1",
    "true",
]
ODD += ["null", "NaN", '"NaN"', '"1"', "[1]", "[1, 2]", "{}", "1_0", "01", "1.", "", "1, 2", "\x0b1", '1], "x": [2']
ENDS = ["", "", "", " ", "\r", "}", "]", "\x0b", "x"]
DATATYPES = ["FP32", "FP16", "FP64", "INT64", "UINT8", "UINT64"]


def text(choice: random.Random) -> str:
    """Sixty lines: a third of the files has an odd value, end or form in one of them."""
    whole = choice.random() < 0.3
    start, end = choice.choice(
        [('{"x": [', "]}"), ('{"x":[', "]}"), ("[", "]"), (' {"x" : [', "] }"), ('{"y": [', "]}")]
    )
    lines = []
    for _ in range(60):
        numbers = [str(choice.randrange(200)) if whole else repr(choice.random() * 100) for _ in range(WIDTH)]
        if choice.random() < 0.005:
            numbers[choice.randrange(WIDTH)] = choice.choice(ODD)
        lines.append(start + ", ".join(numbers) + end + (choice.choice(ENDS) if choice.random() < 0.005 else ""))
    return "\n".join(lines)


def found(reader: Any, writer: Any, text: str, rows: int = 64) -> tuple[list[Any], int]:
    """What the writer of errors and the model get; and how many records were read as rows."""
    source, chunks = MemorySource(text.encode()), []
    for chunk in reader.chunks(source, 0, source.size_bytes, rows):
        chunks.append(chunk)
        writer.add(chunk, {}, dict.fromkeys(range(chunk.rows), "failed"))
    return [*map(told, chunks), writer.finish()], sum(chunk.rows for chunk in chunks if type(chunk.carried) is Unread)


def told(chunk: Chunk) -> tuple[Any, ...]:
    arrays = {name: (array.dtype, array.shape, array.tobytes()) for name, array in chunk.inputs.items()}
    return chunk.end, chunk.rows, [*chunk.good], chunk.errors, chunk.whole, arrays


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 20))])
def test_rows_and_single_records_agree(seed: int) -> None:
    choice, rows = random.Random(seed), 0
    for number in range(60):
        lines, inputs = text(choice), [tensor("x", DATATYPES[number % len(DATATYPES)], -1, WIDTH)]
        reader, one_by_one = (JsonlReader(Options(), inputs) for _ in range(2))
        one_by_one._number_lines = None
        fast, read = found(reader, JsonlWriter(Options(), []), lines)
        slow, none = found(one_by_one, JsonlWriter(Options(), []), lines)
        assert fast == slow, lines
        assert none == 0
        rows += read
    assert rows > 60


def table(choice: random.Random) -> str:
    """As `text`, of lines of CSV without a header."""
    whole, comma, end = choice.random() < 0.3, choice.choice([",", ",", ", ", "\t,"]), choice.choice(["\n", "\r\n"])
    lines = []
    for _ in range(60):
        numbers = [str(choice.randrange(200)) if whole else repr(choice.random() * 100) for _ in range(WIDTH)]
        if choice.random() < 0.01:
            numbers[choice.randrange(WIDTH)] = choice.choice(
                [*ODD, "Infinity", " 1\t", "1e-0", "1\n", '"1\n"', '"1", 2']
            )
        lines.append(comma.join(numbers) + (choice.choice(ENDS) if choice.random() < 0.005 else ""))
    return end.join(lines)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 20))])
def test_tables_and_single_records_agree(seed: int) -> None:
    choice, rows = random.Random(seed), 0
    layout = {"header": [f"f{place}" for place in range(WIDTH)]}
    for number in range(60):
        lines, options = table(choice), Options(exclude=("f3", "f0")) if choice.random() < 0.3 else Options()
        inputs = [tensor("x", DATATYPES[number % len(DATATYPES)], -1, -1)]
        reader, one_by_one = (CsvReader(layout, options, inputs) for _ in range(2))
        one_by_one._are_numbers = False
        fast, read = found(reader, CsvWriter(layout, Options(join=True), []), lines)
        slow, none = found(one_by_one, CsvWriter(layout, Options(join=True), []), lines)
        assert fast == slow, lines
        assert none == 0
        rows += read
    assert rows > 60


def test_other_inputs_have_no_number_lines() -> None:
    for inputs in (
        [tensor("x", "BYTES", -1, 3)],
        [tensor("x", "FP32", -1)],
        [tensor("x", "FP32", -1, -1)],
        [tensor("inputs", "FP32", -1, 3)],
        [tensor("x", "FP32", -1, 3), tensor("y", "FP32", -1, 3)],
    ):
        assert JsonlReader(Options(), inputs)._number_lines is None
    assert number_lines([]) is None


def test_lines_of_numbers_are_written_as_one_by_one() -> None:
    outputs = [tensor("label", "INT64", -1), tensor('a%b"', "FP32", -1, 3), tensor("y", "BOOL", -1)]
    arrays = {
        "label": np.array([1, -(2**63)]),
        'a%b"': np.array([[0.1, 1e-7, 3], [7.038531e-26, 0, -0.0]], np.float32),
        "y": np.array([True, False]),
    }
    writer = JsonlWriter(Options(), outputs)
    written = writer._written(arrays, False)
    assert written is not None
    one_by_one = [orjson.dumps(row, option=_DUMP) for row in writer._rows(arrays, False)]
    assert written == one_by_one
    assert np.array_equal(np.array([json.loads(line)['a%b"'] for line in written], np.float32), arrays['a%b"'])
    for words in (np.array([np.nan, 1]), np.array([[np.inf, 1], [2, 3]])):
        assert JsonlWriter(Options(), [tensor("y", "FP64", -1)])._written({"y": words}, False) is None
