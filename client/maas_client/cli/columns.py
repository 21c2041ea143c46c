"""Reads CSV: columns named like the inputs; otherwise all columns, in order, form the only two-dimensional input.

Leading columns without a name are an index of pandas, no features, as in batch jobs.
"""

import csv
import re
from collections.abc import Sequence
from io import StringIO
from itertools import takewhile
from typing import Any

import numpy as np

from maas_client.cli.texts import NUMBER, WHOLE, read_text
from maas_client.errors import InvalidInput
from maas_client.protocol.fitting import names, shown
from maas_client.protocol.tensors import DTYPES
from maas_client.records.inference import MetadataTensor

BLANKS = " \t"
_UNNAMED = re.compile(r"(Unnamed: [0-9]+(\.[0-9]+)?)?")  # pandas writes "" and reads it as "Unnamed: 0"
FIELD_CHARACTERS = 10_000_000  # of one cell; csv's own limit is 131,072
WORDS = ("NaN", "Infinity", "-Infinity")
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def read_columns(source: str, expected: Sequence[MetadataTensor]) -> dict[str, np.ndarray]:
    """Arrays by input name: (records, 1) each, or (records, columns) for an only input. Raises InvalidInput."""
    header, records = _table(source)
    by_name = {tensor.name: tensor for tensor in expected}
    if set(header) == by_name.keys():
        return {
            name: _values(source, [[record[index]] for record in records], [name], by_name[name])
            for index, name in enumerate(header)
        }
    if len(expected) != 1:
        raise InvalidInput(f"{source}: has columns {names(header)}; the model takes {shown(expected)}")
    index = len([*takewhile(_UNNAMED.fullmatch, header)])
    if index == len(header):
        raise InvalidInput(f"{source}: has no column with a name; leading ones without are an index")
    features = [record[index:] for record in records]
    return {expected[0].name: _values(source, features, header[index:], expected[0])}


def _table(source: str) -> tuple[list[str], list[list[str]]]:
    """The header and the records of a CSV file."""
    csv.field_size_limit(FIELD_CHARACTERS)
    try:
        rows = [row for row in csv.reader(StringIO(read_text(source), newline=""), strict=True) if row]
    except csv.Error as error:
        raise InvalidInput(f"{source} is not CSV: {error}") from None
    if len(rows) < 2:
        raise InvalidInput(f"{source}: expected a header line and at least one record")
    header, records = [name.strip() for name in rows[0]], rows[1:]
    _check_header(source, header)
    separators = [one for one in ";\t|" if len(header) == 1 and one in header[0]]
    if separators and all(separators[0] in ",".join(record) for record in records):
        raise InvalidInput(f"{source}: its cells are separated by {separators[0]!r}, expected commas")
    for number, record in enumerate(records, 1):
        if len(record) != len(header):
            raise InvalidInput(f"{source}: record {number} has {len(record)} columns, the header {len(header)}")
    return header, records


def _check_header(source: str, header: Sequence[str]) -> None:
    if all(map(_is_number, header)) and list(header) != [str(index) for index in range(len(header))]:
        raise InvalidInput(f"{source}: its first line is numbers; expected a header line with the columns' names")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InvalidInput(f"{source}: has the column {twice!r} twice")


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _values(source: str, records: list[list[str]], header: Sequence[str], tensor: MetadataTensor) -> np.ndarray:
    dtype = np.dtype(np.float64) if tensor.datatype == "BF16" else DTYPES.get(tensor.datatype)
    if dtype is None or dtype.kind == "O":
        return np.array(records, np.object_)
    rows = [
        [_value(cell, f"{source}: record {number}, column '{name}'", tensor.datatype, dtype.kind)]
        for number, record in enumerate(records, 1)
        for name, cell in zip(header, record, strict=True)
    ]
    kind = np.float64 if dtype.kind == "f" else np.bool_ if dtype.kind == "b" else np.object_
    array = np.array(rows, kind).reshape(len(records), len(header))
    return _integers(source, array, dtype, tensor) if dtype.kind in "iu" else array


def _integers(source: str, array: np.ndarray, dtype: np.dtype[Any], tensor: MetadataTensor) -> np.ndarray:
    try:
        return array.astype(dtype)
    except OverflowError:
        raise InvalidInput(f"{source}: '{tensor.name}' takes {tensor.datatype} values; one is out of range") from None


def _value(cell: str, where: str, datatype: str, kind: str) -> float | int | bool:
    text = cell.strip(BLANKS)
    if kind == "b":
        if (found := BOOLEANS.get(text.lower())) is not None:
            return found
        raise InvalidInput(f"{where}: got {cell!r:.80}, expected true, false, 1 or 0")
    if kind in "iu" and WHOLE.fullmatch(text) and len(text) < 30:
        return int(text)
    if kind == "f" and (NUMBER.fullmatch(text) or text in WORDS):
        return float(text)
    words = ", NaN, Infinity or -Infinity" if kind == "f" else ""
    raise InvalidInput(f"{where}: got {cell!r:.80}, expected {datatype} values, numbers as JSON writes them{words}")
