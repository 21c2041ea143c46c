"""Reads `maas predict --input`: JSON, CSV, NPY or NPZ, as a request or as arrays that fit the signature."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from maas_client.errors import InvalidInput
from maas_client.model_records import MetadataTensor
from maas_client.protocol.fitting import fit, names, shown
from maas_client.protocol.tensors import Tensor

Signature = Callable[[], tuple[MetadataTensor, ...]]


class Given(NamedTuple):
    """Either a whole inference request as JSON, or inputs by name."""

    request: dict[str, Any] | None
    inputs: dict[str, Tensor]


def read(source: str, signature: Signature) -> Given:
    """Read the file `source`, or JSON from standard input for `-`.

    `signature` is called only if the file is not a whole request. Arrays are cast to the datatype of their input, and a
    single record becomes a batch of one. Raises InvalidInput.
    """
    suffix = ".json" if source == "-" else Path(source).suffix.lower()
    readers = {".json": _json, ".csv": _csv, ".npy": _numpy, ".npz": _numpy}
    if suffix not in readers:
        raise InvalidInput(f"{source}: expected a .json, .csv, .npy or .npz file, or - for JSON on standard input")
    try:
        return readers[suffix](source, signature)
    except OSError as error:
        raise InvalidInput(f"cannot read {source}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise InvalidInput(f"{source} is not UTF-8 text") from None


def _json(source: str, signature: Signature) -> Given:
    text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{source} is not JSON: {error}") from None
    if isinstance(document, dict):
        inputs = document.get("inputs")
        if isinstance(inputs, list) and inputs and all(isinstance(one, dict) for one in inputs):
            return Given(document, {})
        return _fitted(source, document, signature())
    if isinstance(document, list):
        return _fitted(source, {_only(source, signature()): document}, signature())
    raise InvalidInput(f"{source}: expected an inference request, an object of inputs by name, or an array")


def _numpy(source: str, signature: Signature) -> Given:
    try:
        loaded = np.load(source, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InvalidInput(f"{source} is not a NumPy file of numbers or fixed-width strings: {error}") from None
    if isinstance(loaded, np.ndarray):
        return _fitted(source, {_only(source, signature()): loaded}, signature())
    with loaded:
        return _fitted(source, {name: loaded[name] for name in loaded.files}, signature())


def _csv(source: str, signature: Signature) -> Given:
    with Path(source).open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    if len(rows) < 2:
        raise InvalidInput(f"{source}: expected a header line and at least one record")
    header, records = [name.strip() for name in rows[0]], rows[1:]
    if all(_is_number(name) for name in header) and header != [str(index) for index in range(len(header))]:
        raise InvalidInput(f"{source}: its first line is numbers; expected a header line with the columns' names")
    for line, record in enumerate(records, 2):
        if len(record) != len(header):
            raise InvalidInput(f"{source}: record {line - 1} has {len(record)} columns, the header {len(header)}")
    expected = signature()
    if set(header) == {tensor.name for tensor in expected}:
        by_name = zip(header, zip(*records, strict=True), strict=True)
        return _fitted(source, {name: _column(column) for name, column in by_name}, expected)
    if len(expected) > 1:
        raise InvalidInput(f"{source}: has columns {names(header)}; the model takes {shown(expected)}")
    return _fitted(source, {expected[0].name: records}, expected)


def _column(values: Iterable[str]) -> np.ndarray:
    return np.array(list(values)).reshape(-1, 1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _only(source: str, expected: Sequence[MetadataTensor]) -> str:
    if len(expected) != 1:
        raise InvalidInput(f"{source}: the model takes {shown(expected)}: name each, in a JSON object or an .npz file")
    return expected[0].name


def _fitted(source: str, given: Mapping[str, Any], expected: Sequence[MetadataTensor]) -> Given:
    if set(given) != {tensor.name for tensor in expected}:
        raise InvalidInput(f"{source}: has {names(given)}; the model takes {shown(expected)}")
    try:
        return Given(None, {tensor.name: fit(given[tensor.name], tensor) for tensor in expected})
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error}") from None
