"""Values in CSV text: one rule for every route and format that reads it.

A number is written as in JSON, or is one of the words NaN, Infinity and -Infinity; spaces and tabs may stand around it.
What only Python or NumPy read as numbers is refused: `1_0`, `٣`, `0x1`, `+1`, `.5`, `5.`, `007`, `nan`, `inf`.
"""

import codecs
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving import json_numbers
from maas.serving.datatypes import Array
from maas.serving.numeric import NOT_FINITE

BLANKS = " \t"
_NUMBER_BYTES = b"0123456789+-.eE, \t"  # nothing that JSON could nest or quote with
_LONG_CELL = re.compile(rb"[^,]{131073}")  # beyond what Python's csv reads
_WORD_BYTES = b"NaInfity"
_WORD = re.compile(rb"-?Infinity|NaN")
_NEGATIVE_ZERO = re.compile(rb"(?<![^, \t\n[])-0(?![^, \t\n\]])")
_AFTER_A_CELL = np.frombuffer(b", \t\r\n", np.uint8)
_NUMBER = re.compile(r"[ \t]*-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?[ \t]*")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def value_of(text: str, datatype: str) -> str | float | bool:
    """The JSON value of one cell. Text that is no value of the datatype comes back unchanged, for the codec to refuse.

    NaN and the infinities stay words, as in JSON; a number beyond float64 is infinite, which the codec refuses too.
    """
    if datatype == "BYTES":
        return text
    if datatype == "BOOL":
        found = boolean(text)
        return text if found is None else found
    if is_number(text):
        try:
            value: float = orjson.loads(text)
            return value
        except orjson.JSONDecodeError:
            return float(text)
    word = text.strip(BLANKS)
    return word if word in NOT_FINITE else text


def boolean(text: str) -> bool | None:
    """True or False for true, false (in any case), 1 and 0; None for any other text."""
    return _BOOLEANS.get(text.strip(BLANKS).lower())


def is_number(text: str) -> bool:
    """Whether a cell is a number as JSON writes it; false for the words."""
    return _NUMBER.fullmatch(text) is not None


def expected_cell(text: str, datatype: str) -> str:
    """What an error says was expected where a cell is no value of the datatype."""
    if datatype == "BOOL":
        return "true, false, 1 or 0"
    if datatype == "BYTES" or is_number(text):
        return f"{datatype} values"
    may_be_missing = datatype.startswith("FP") and not text.strip(BLANKS)
    return f"{datatype} values, numbers as JSON writes them" + (
        ", NaN for one that is missing" if may_be_missing else ""
    )


def numbers_at_once(body: bytes, inputs: Sequence[MetadataTensor]) -> dict[str, Array] | None:
    """The inputs of a CSV of numbers alone, without a header, as NumPy reads them.

    All columns are the one input of rank 2, or each is an input. None for short text, and for text that has to be read
    cell by cell.
    """
    lines = None if any(tensor.datatype in ("BOOL", "BYTES") for tensor in inputs) else _lines_of_numbers(body)
    if lines is None:
        return None
    if len(inputs) == 1 and len(inputs[0].shape) == 2:
        read = json_numbers.read_numbers(b"[%b]" % b",".join(lines))
        return None if read is None or read.size % len(lines) else {inputs[0].name: read.reshape(len(lines), -1)}
    cells = [*zip(*(line.split(b",") for line in lines), strict=True)]
    arrays = {}
    for tensor, column in zip(inputs, cells, strict=False):
        read = json_numbers.read_numbers(b"[%b]" % b",".join(column))
        if read is None or len(cells) != len(inputs):
            return None
        arrays[tensor.name] = read[:, None] if len(tensor.shape) == 2 else read
    return arrays


def _lines_of_numbers(body: bytes) -> list[bytes] | None:
    """The lines, without empty ones, which have the same number of cells."""
    text = body.removeprefix(codecs.BOM_UTF8)
    if len(text) < json_numbers.FEWEST_BYTES or text.translate(None, _NUMBER_BYTES + b"\r\n"):
        return None
    lines = [line for line in text.splitlines() if line]
    if not lines or any(line.count(b",") != lines[0].count(b",") for line in lines):
        return None
    return None if any(_LONG_CELL.search(line) for line in lines) else lines


def numbers(texts: Sequence[str], count: int, dtype: np.dtype[Any]) -> Array:
    """All numbers of `texts`, which hold one or, with commas between them, several each; (count,), of `dtype`.

    Raises InvalidRequest unless they are `count` numbers that the dtype holds.
    """
    encoded = ",".join(texts).encode()
    words = encoded.translate(None, _NUMBER_BYTES)
    is_fraction = dtype.kind == "f"
    if words and (not is_fraction or words.translate(None, _WORD_BYTES)):
        raise _not_numbers()
    text = b"[%b]" % (_exact(encoded, bool(words)) if is_fraction else encoded)
    read = None if words or count < json_numbers.FEWEST else json_numbers.read_numbers(text)
    if read is not None and read.size == count and (is_fraction or _fits(read, dtype)):
        return converted(read, dtype)
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _not_numbers() from None
    if len(values) != count:
        raise _not_numbers()
    if words:
        values = [NOT_FINITE[value] if type(value) is str else value for value in values]
    return _rounded(np.array(values, np.float64), dtype) if is_fraction else _integers(values, dtype)


def rows_of_numbers(text: bytes, rows: int, width: int, *, are_fractions: bool) -> Array | None:
    """The numbers of lines, each with its newline, (rows, width), as NumPy reads them; None where cells differ."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
        if b"\r" in text:  # a blank in JSON, but not in a cell
            return None
    if are_fractions and _has_negative_zero(text):
        text = _NEGATIVE_ZERO.sub(b"-0.0", text)
    return json_numbers.read_rows(text[:-1], b"\n", rows, width)


def converted(read: Array, dtype: np.dtype[Any]) -> Array:
    """Numbers that NumPy read as int64 or float64. Raises InvalidRequest for one that the dtype does not hold."""
    if dtype.kind == "f":
        return _rounded(read.astype(np.float64, copy=False), dtype)
    if not _fits(read, dtype):
        raise _out_of_range(dtype)
    return read.astype(dtype)


def _has_negative_zero(text: bytes) -> bool:
    """Whether a cell may be -0; in text of many cells, this is five times as fast as a search for it."""
    if b"-" not in text:
        return False
    padded = np.frombuffer(text + b"\n\n", np.uint8)
    signs = np.flatnonzero(padded[:-2] == ord("-"))
    after = padded[signs + 2][padded[signs + 1] == ord("0")]
    return bool(np.isin(after, _AFTER_A_CELL).any())


def _exact(encoded: bytes, has_words: bool) -> bytes:
    """The words in quotes, and -0 with a fraction: orjson reads it as the integer 0 otherwise."""
    if has_words:
        encoded = _WORD.sub(rb'"\g<0>"', encoded)
    has_blanks = b" " in encoded or b"\t" in encoded
    if b"-0," in encoded or encoded.endswith(b"-0") or (has_blanks and b"-0" in encoded):
        encoded = _NEGATIVE_ZERO.sub(b"-0.0", encoded)
    return encoded


def _fits(read: Array, dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return read.dtype.kind == "i" and int(read.min()) >= limits.min and int(read.max()) <= limits.max


def _rounded(wide: Array, dtype: np.dtype[Any]) -> Array:
    with np.errstate(over="ignore"):
        found = wide.astype(dtype, copy=False)
    is_infinite = np.isinf(found)
    if is_infinite.any() and np.isfinite(wide[is_infinite]).any():
        raise _out_of_range(dtype)
    return found


def _integers(values: list[Any], dtype: np.dtype[Any]) -> Array:
    if not set(map(type, values)) <= {int}:
        raise _not_numbers()
    try:
        return np.array(values, dtype)
    except OverflowError:
        raise _out_of_range(dtype) from None


def _not_numbers() -> InvalidRequest:
    return InvalidRequest("record: got other text, expected numbers as JSON writes them")


def _out_of_range(dtype: np.dtype[Any]) -> InvalidRequest:
    return InvalidRequest(f"record: got a number out of range, expected {dtype} values")
