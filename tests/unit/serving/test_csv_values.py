"""Numbers and booleans of CSV cells: what JSON takes, and nothing that only Python or NumPy take."""

import math
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving import compatibility
from maas.serving.csv_values import boolean, expected_cell, numbers, numbers_at_once, rows_of_numbers, value_of
from maas.serving.json_numbers import FEWEST, PIECE_BYTES
from maas.serving.runner import Runner
from support import onnx_models

NOT_NUMBERS = [
    *("1_0", "٣", "１", "0x1", "0b1", "0o7", "+1", ".5", "5.", "007", "-", "e1", "1e", "1e+", "1.e5", "1d3", "1f"),
    *("nan", "NAN", "inf", "-inf", "+Infinity", "infinity", "Inf", "INFINITY", "1#INF", "null", "true", "[1]", '"1"'),
    *("", " ", "1 2", "1\xa0", "\u20091", "1\x0b", "1\x0c", "\n1", "1\r", "\ufeff1", "−1", "1,5", "½", "²"),
]
DTYPES = [np.dtype(one) for one in ("f2", "f4", "f8", "i1", "i8", "u1", "u8")]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_not_json_is_not_a_number(text: str) -> None:
    for dtype in DTYPES:
        for texts in ([text], ["1", text], [text, "1"], [f"1,{text}"]):
            with pytest.raises(InvalidRequest):
                numbers(texts, sum(1 + one.count(",") for one in texts) - text.count(","), dtype)
    assert value_of(text, "FP64") == text
    assert value_of(text, "INT64") == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("-0", -0.0),
        (" -0\t", -0.0),
        ("-0.0e0", -0.0),
        ("1e-400", 0.0),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("  1.5E+2\t", 150.0),
        ("NaN", math.nan),
        (" Infinity ", math.inf),
        ("-Infinity", -math.inf),
    ],
)
def test_json_numbers_and_words(text: str, value: float) -> None:
    for texts in ([text], [f"{text},{text}"], ["-0.5", text, "NaN", text, "-0"]):
        found = numbers(texts, sum(1 + one.count(",") for one in texts), np.dtype(np.float64))
        parsed = [value if one.strip() == text.strip() else float(one) for one in ",".join(texts).split(",")]
        assert found.tobytes() == np.array(parsed).tobytes()
    word = value_of(text, "FP32")
    assert word == (value if math.isfinite(value) else text.strip())


def test_integers_to_the_ends_of_their_range() -> None:
    assert numbers(["18446744073709551615", "0,-0"], 3, np.dtype("u8")).tolist() == [2**64 - 1, 0, 0]
    assert numbers(["-9223372036854775808"], 1, np.dtype("i8")).tolist() == [-(2**63)]
    for text, dtype in (("18446744073709551616", "u8"), ("-1", "u8"), ("9223372036854775808", "i8"), ("128", "i1")):
        with pytest.raises(InvalidRequest):
            numbers([text], 1, np.dtype(dtype))
    for text in ("1.0", "1e3", "NaN"):
        with pytest.raises(InvalidRequest, match="expected numbers"):
            numbers([text], 1, np.dtype("i8"))


def test_overflow_is_out_of_range_and_infinity_is_not() -> None:
    assert numbers(["Infinity"], 1, np.dtype("f2")).tolist() == [math.inf]
    for text, dtype in (("65536", "f2"), ("1e39", "f4")):
        with pytest.raises(InvalidRequest, match="out of range"):
            numbers([text], 1, np.dtype(dtype))
    with pytest.raises(InvalidRequest):
        numbers(["-1e999"], 1, np.dtype("f8"))
    assert value_of("-1e999", "FP64") == -math.inf


@pytest.mark.parametrize(("texts", "count"), [(["1,2"], 1), (["1"], 2), (["1,"], 1), ([","], 0), (["1", ""], 1)])
def test_count_of_numbers(texts: list[str], count: int) -> None:
    with pytest.raises(InvalidRequest):
        numbers(texts, count, np.dtype("f4"))


def test_booleans() -> None:
    assert [boolean(one) for one in ("true", "False", "TRUE", "1", " 0\t")] == [True, False, True, True, False]
    assert [boolean(one) for one in ("yes", "", "2", "1.0", "true\xa0", "١")] == [None] * 6
    assert value_of("True", "BOOL") is True
    assert value_of("yes", "BOOL") == "yes"
    assert value_of(" x", "BYTES") == " x"


def test_an_error_says_how_numbers_are_written() -> None:
    assert expected_cell("inf", "FP32") == "FP32 values, numbers as JSON writes them"
    assert expected_cell("128", "INT8") == "INT8 values"
    assert expected_cell("1e999", "FP32") == "FP32 values"
    assert expected_cell("yes", "BOOL") == "true, false, 1 or 0"


@settings(max_examples=500)
@given(st.text("0123456789+-.eE_ \tNaInfity٣,x", max_size=12))
def test_a_cell_and_a_column_agree(text: str) -> None:
    """`numbers` takes exactly what `value_of` does, to the same bits but for the sign of `-0`."""
    cell: Any = value_of(text, "FP64")
    is_number = cell in ("NaN", "Infinity", "-Infinity") if isinstance(cell, str) else math.isfinite(cell)
    try:
        found = numbers([text, "1"], 2, np.dtype(np.float64))
    except InvalidRequest:
        assert not is_number
        return
    assert is_number
    expected = float(text if not isinstance(cell, str) else cell)
    assert found.tobytes() == np.array([expected, 1.0]).tobytes() or math.isnan(expected)


CELLS = [
    "0",
    "-0",
    "-0.0",
    "7",
    "-1",
    "300",
    "70000",
    "0.5",
    "1e-7",
    "1e39",
    "1e400",
    "9007199254740993",
    " 2\t",
    "1e2",
]
CELLS += [
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "NaN",
    "-Infinity",
    "1_0",
    "",
    "[1]",
    "true",
]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 10))])
def test_many_numbers_are_read_as_few_are(seed: int) -> None:
    """Many are read by simdjson, few by orjson."""
    choice, read = random.Random(seed), 0
    for dtype in [np.dtype(name) for name in ("f2", "f4", "f8", "i1", "u2", "i8", "u8")] * 20:
        cells = [str(choice.randrange(100)) for _ in range(FEWEST)]
        if choice.random() < 0.8:
            cells[choice.randrange(FEWEST)] = choice.choice(CELLS)
        halves = [cells[: FEWEST // 2], cells[FEWEST // 2 :]]
        try:
            expected = np.concatenate([numbers(half, len(half), dtype) for half in halves])
        except InvalidRequest as error:
            with pytest.raises(InvalidRequest, match=re.escape(error.message)):
                numbers(cells, FEWEST, dtype)
        else:
            found = numbers(cells, FEWEST, dtype)
            assert (found.dtype, found.tobytes()) == (expected.dtype, expected.tobytes()), cells
            read += 1
    assert read > 40


MODELS = {
    "fractions": onnx_models.parsed("(float[n, f] x) => (float[n, f] y) { y = Identity(x) }"),
    "integers": onnx_models.parsed("(int64[n, f] x) => (int64[n, f] y) { y = Identity(x) }"),
    "an input a column": onnx_models.parsed(
        "(double[n] a, int32[n, 1] b) => (double[n] y, int32[n, 1] z) { y = Identity(a) z = Identity(b) }"
    ),
    "texts": onnx_models.parsed("(string[n, f] x) => (string[n, f] y) { y = Identity(x) }"),
}


def decoded(text: str, runner: Runner) -> Any:
    try:
        found = compatibility.decode_csv(text.encode(), runner)
    except InvalidRequest as error:
        return type(error), error.message, error.field
    # Of texts, an array has addresses.
    return {
        name: (array.dtype, array.shape, array.tolist() if array.dtype.hasobject else array.tobytes())
        for name, array in found.items()
    }


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 10))])
def test_rows_read_at_once_and_cell_by_cell_agree(model: str, seed: int, tmp_path: Path) -> None:
    """Quotes around a cell change nothing but the way it is read."""
    (tmp_path / "model.onnx").write_bytes(MODELS[model])
    runner, choice = Runner(tmp_path / "model.onnx", threads=1), random.Random(f"{model} {seed}")
    arrays = 0
    for _ in range(60):
        odd = choice.choice([0, 0, 0.0005])
        plain = choice.choice([["1", "-7", "12345"], ["1", "0.5", "-2e-3", "-0.0"], ["-0", "3", " 4\t"]])
        width = 2 if model == "an input a column" else choice.choice([1, 3])
        rows = [[choice.choice(CELLS if choice.random() < odd else plain) for _ in range(width)] for _ in range(1500)]
        end = choice.choice(["\n", "\r\n", "\r", "\n\n"])
        text = choice.choice(["", "\ufeff"]) + end.join(",".join(row) for row in rows)
        text = text.replace(end, f",1{end}", 1) if choice.random() < 0.1 else text
        quoted = text.replace(rows[0][0], f'"{rows[0][0]}"', 1)
        at_once = decoded(text, runner)
        assert at_once == decoded(quoted, runner)
        arrays += isinstance(at_once, dict)
    assert arrays


def test_long_cells_are_refused_as_by_the_csv_module() -> None:
    inputs = [MetadataTensor("x", "FP64", (-1, -1))]
    for digits, is_read in ((131_072, True), (131_073, False)):
        assert (numbers_at_once(b"1," + b"1.".ljust(digits, b"0"), inputs) is not None) is is_read


def test_rows_in_several_pieces_are_read_as_one_text() -> None:
    """Integers in one piece and fractions in the next, and -0 at the beginning of a line."""
    rows = [["-0", str(row), "7"] for row in range(40_000)] + [["-0", "1.5", str(row)] for row in range(40_000)]
    text = "".join(",".join(row) + "\n" for row in rows).encode()
    assert len(text) > 3 * PIECE_BYTES
    read = rows_of_numbers(text, len(rows), 3, are_fractions=True)
    expected = np.array([[float(cell) for cell in row] for row in rows])
    assert read is not None
    assert read.tobytes() == expected.tobytes()
    assert rows_of_numbers(text, len(rows) + 1, 3, are_fractions=True) is None
    assert rows_of_numbers(text + b"1,2\n", len(rows) + 1, 3, are_fractions=True) is None
    integers = rows_of_numbers(text[: text.index(b"1.5") - 3], 40_000, 3, are_fractions=False)
    assert integers is not None
    assert integers.dtype.kind == "i"
