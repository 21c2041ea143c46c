"""BYTES on the wire: UTF-8 text, as JSON strings or as length-prefixed binary data.

Elements of a `binary` input, such as image files, are `bytes`: base64 in JSON.
"""

import base64
import binascii
import math
from typing import Any

import numpy as np

from maas.errors import InvalidRequest, InvalidTensor
from maas.serving.datatypes import Array
from maas.serving.oip import RequestInput

IN_S3 = "s3://"


def from_json(tensor: RequestInput, binary: bool = False) -> Array:
    """An object array of str, or of bytes. NumPy alone would make an array of fixed-width strings."""
    assert tensor.data is not None
    leaves: list[Any] = tensor.data.tolist() if isinstance(tensor.data, np.ndarray) else tensor.data
    shape = _nested_shape(leaves, len(tensor.shape))
    for _ in shape[1:]:
        if any(type(row) is not list for row in leaves):
            raise InvalidTensor(tensor.name, "data", "arrays and strings in one array", "rows of one length")
        leaves = [item for row in leaves for item in row]
    if len(leaves) != math.prod(shape) or any(type(leaf) is not str for leaf in leaves):
        raise InvalidTensor(tensor.name, "data", "values that are not strings", "BYTES as JSON strings")
    if binary:
        where = f"inputs[{tensor.name}].data"
        # A place in S3 stays text: who runs the model decides whether to read it.
        leaves = [leaf if leaf.startswith(IN_S3) else bytes_of(leaf, where) for leaf in leaves]
    return array_of(leaves).reshape(shape)


def bytes_of(text: str, where: str) -> bytes:
    """The bytes of base64 text or of a `data:` URL with it. Raises InvalidRequest, which names `where`."""
    encoded = text
    if text.startswith("data:"):
        kind, comma, encoded = text.partition(",")
        if not comma or not kind.endswith(";base64"):
            raise InvalidRequest(f"{where}: got a data: URL that is not base64, expected data:…;base64,…", field=where)
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        came = f"{text[:40]!r}" if len(text) > 40 else repr(text)
        raise InvalidRequest(f"{where}: got {came}, expected base64 or a data: URL with it", field=where) from None


def from_raw(tensor: RequestInput, binary: bool = False) -> Array:
    """Flat. Each element is its length as 4 little-endian bytes, then the UTF-8 text or the bytes."""
    assert tensor.raw is not None
    raw, count, position = tensor.raw, math.prod(tensor.shape), 0
    if count * 4 > len(raw):
        raise _wrong_size(tensor, f"at least {count * 4} for {count} elements")
    leaves: list[str | bytes] = []
    for index in range(count):
        start = position + 4
        position = start + int.from_bytes(raw[position:start], "little")
        if start > len(raw) or position > len(raw):
            raise _wrong_size(tensor, f"at least {position}: element {index} ends there")
        if binary:
            leaves.append(bytes(raw[start:position]))
            continue
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
