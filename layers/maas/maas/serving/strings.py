"""BYTES on the wire: UTF-8 text, as JSON strings or as length-prefixed binary data."""

import math
from typing import Any

import numpy as np

from maas.errors import InvalidTensor
from maas.serving.oip import RequestInput

Array = np.ndarray[Any, Any]


def from_json(tensor: RequestInput) -> Array:
    """An object array of str. NumPy alone would make an array of fixed-width strings."""
    assert tensor.data is not None
    shape = _nested_shape(tensor.data, len(tensor.shape))
    leaves: list[Any] = tensor.data
    for _ in shape[1:]:
        if any(type(row) is not list for row in leaves):
            raise InvalidTensor(tensor.name, "data", "arrays and strings in one array", "rows of one length")
        leaves = [item for row in leaves for item in row]
    if len(leaves) != math.prod(shape) or any(type(leaf) is not str for leaf in leaves):
        raise InvalidTensor(tensor.name, "data", "values that are not strings", "BYTES as JSON strings")
    return array_of(leaves).reshape(shape)


def from_raw(tensor: RequestInput) -> Array:
    """Flat. Each element is its length as 4 little-endian bytes, then the UTF-8 text."""
    assert tensor.raw is not None
    raw, count, position = tensor.raw, math.prod(tensor.shape), 0
    if count * 4 > len(raw):
        raise _wrong_size(tensor, f"at least {count * 4} for {count} elements")
    leaves: list[str] = []
    for index in range(count):
        start = position + 4
        position = start + int.from_bytes(raw[position:start], "little")
        if start > len(raw) or position > len(raw):
            raise _wrong_size(tensor, f"at least {position}: element {index} ends there")
        try:
            leaves.append(str(raw[start:position], "utf-8"))
        except UnicodeDecodeError:
            raise InvalidTensor(tensor.name, "data", f"element {index} that is not UTF-8", "UTF-8 text") from None
    if position != len(raw):
        raise _wrong_size(tensor, f"{position} for {count} elements")
    return array_of(leaves)


def array_of(leaves: list[Any]) -> Array:
    """A flat object array of these values."""
    array = np.empty(len(leaves), dtype=object)
    array[:] = leaves
    return array


def _wrong_size(tensor: RequestInput, expected: str) -> InvalidTensor:
    came = f"{len(tensor.raw or b'')} bytes"
    return InvalidTensor(tensor.name, "parameters.binary_data_size", came, expected)


def _nested_shape(data: list[Any], rank: int) -> tuple[int, ...]:
    """The shape of nested lists by their first elements, at most `rank` deep."""
    shape = [len(data)]
    while len(shape) < rank and data and type(data[0]) is list:
        data = data[0]
        shape.append(len(data))
    return tuple(shape)
