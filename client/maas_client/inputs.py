"""What `maas predict --input` reads: JSON, CSV, NPY or NPZ, made into a request that fits the model's signature."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maas_client.errors import InvalidInput
from maas_client.records import MetadataTensor
from maas_client.tensors import DTYPES, encode_request

Signature = Callable[[], tuple[MetadataTensor, ...]]


def request_from(source: str, signature: Signature) -> dict[str, Any]:
    """The inference request in file `source`, or in JSON on standard input for `-`.

    `signature` is asked only when the file is not a whole request already. Arrays take the datatype of the input they
    are for, and a single record becomes a batch of one. Raises InvalidInput.
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


def _json(source: str, signature: Signature) -> dict[str, Any]:
    text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{source} is not JSON: {error}") from None
    if isinstance(document, dict):
        inputs = document.get("inputs")
        if isinstance(inputs, list) and inputs and all(isinstance(one, dict) for one in inputs):
            return document
        return _request(source, document, signature())
    if isinstance(document, list):
        return _request(source, {_only(source, signature()).name: document}, signature())
    raise InvalidInput(f"{source}: expected an inference request, an object of inputs by name, or an array")


def _numpy(source: str, signature: Signature) -> dict[str, Any]:
    try:
        loaded = np.load(source, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InvalidInput(f"{source} is not a NumPy file of numbers or fixed-width strings: {error}") from None
    if isinstance(loaded, np.ndarray):
        return _request(source, {_only(source, signature()).name: loaded}, signature())
    with loaded:
        return _request(source, {name: loaded[name] for name in loaded.files}, signature())


def _csv(source: str, signature: Signature) -> dict[str, Any]:
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
        return _request(source, {name: _column(column) for name, column in by_name}, expected)
    if len(expected) > 1:
        raise InvalidInput(f"{source}: has columns {_names(header)}; the model takes {_shown(expected)}")
    return _request(source, {expected[0].name: records}, expected)


def _column(values: Iterable[str]) -> np.ndarray:
    return np.array(list(values)).reshape(-1, 1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _only(source: str, expected: Sequence[MetadataTensor]) -> MetadataTensor:
    if len(expected) != 1:
        raise InvalidInput(f"{source}: the model takes {_shown(expected)}: name each, in a JSON object or an .npz file")
    return expected[0]


def _request(source: str, given: Mapping[str, Any], expected: Sequence[MetadataTensor]) -> dict[str, Any]:
    if set(given) != {tensor.name for tensor in expected}:
        raise InvalidInput(f"{source}: has {_names(given)}; the model takes {_shown(expected)}")
    return encode_request({tensor.name: _fitted(source, given[tensor.name], tensor) for tensor in expected})


def _fitted(source: str, values: Any, tensor: MetadataTensor) -> np.ndarray:
    """The array in the tensor's datatype and rank. Raises InvalidInput where its shape or a value does not fit."""
    dtype = DTYPES[tensor.datatype]
    try:
        found = np.asarray(values)
        array = _converted(found, dtype)
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(f"{source}: '{tensor.name}' takes {tensor.datatype} values in rows of one length") from None
    array = _ranked(array, tensor.shape)
    fits = array.ndim == len(tensor.shape) and all(
        fixed in (-1, came) for came, fixed in zip(array.shape, tensor.shape, strict=True)
    )
    if not fits:
        came, shape = list(found.shape), list(tensor.shape)
        raise InvalidInput(f"{source}: '{tensor.name}' has shape {came}, expected {shape} (-1: any size)")
    return array


def _ranked(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A single record becomes a batch of one, and a column of single values a vector where one is expected."""
    if array.ndim == len(shape) - 1 and shape[0] in (-1, 1):
        return array[np.newaxis]
    if array.ndim == 2 and array.shape[1] == 1 and len(shape) == 1:
        return array[:, 0]
    return array


def _converted(found: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Without loss where whole numbers are expected; text is read as numbers. Raises ValueError, TypeError."""
    if dtype.kind == "O":
        if found.dtype.kind not in "USO":
            raise TypeError
        return found.astype(np.object_)
    if found.dtype.kind == "U":
        if dtype.kind == "b":
            return _booleans(found)
        found = np.where(found == "", "nan", found).astype(np.float64 if dtype.kind == "f" else dtype)
    if found.dtype.kind == "O":  # JSON nulls among numbers
        found = found.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        array = found.astype(dtype)
    if dtype.kind != "f" and not np.array_equal(array, found):
        raise ValueError
    return array


def _booleans(found: np.ndarray) -> np.ndarray:
    lowered = np.char.lower(np.char.strip(found))
    if not np.isin(lowered, ["true", "false", "1", "0"]).all():
        raise ValueError
    return np.isin(lowered, ["true", "1"])


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def _shown(expected: Sequence[MetadataTensor]) -> str:
    return ", ".join(f"{tensor.name} {tensor.datatype} {list(tensor.shape)}" for tensor in expected)
