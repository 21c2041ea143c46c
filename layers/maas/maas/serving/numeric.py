"""Numbers and booleans on the wire: as JSON, or as the bytes of the array.

Nothing is converted silently: no fraction to an integer, no string to a number, no overflow to infinity.
"""

import math
from typing import Any

import numpy as np

from maas.errors import InvalidTensor
from maas.serving.datatypes import Array
from maas.serving.oip import RequestInput

FEW = 1000
# The kinds of NumPy's types that JSON is read as, by the kind of the tensor's type.
_READ_AS = {"b": "b", "u": "iu", "i": "iu", "f": "iuf"}
# By bytes of a type for fractions: the smallest number that rounds to infinity.
_BEYOND = {2: 65520.0, 4: 2.0**128 - 2.0**103, 8: math.inf}
_OTHERS = {type(None): "null", int: "a number beyond 64 bits", str: "a string", bool: "a boolean", list: "an array"}
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def from_json(tensor: RequestInput, dtype: np.dtype[Any]) -> Array:
    """The numbers of JSON, of a type that casts to `dtype` without loss but for the digits of a fraction."""
    data, not_finite = tensor.data, False
    if dtype.kind == "f" and isinstance(data, list) and len(data) <= FEW and set(map(type, data)) == {float}:
        return _fractions(tensor, np.array(data, np.float64), dtype, not_finite)  # most of what is small
    if isinstance(data, np.ndarray):
        found = data
    elif not data:
        return np.empty(0, dtype)
    else:
        found = _found(tensor, data)
        if dtype == np.uint64 and found.dtype.kind in "fO":
            found = _beyond_int64(data, found)
        if dtype.kind == "f" and found.dtype.kind in "UO":
            found, not_finite = _with_not_finite(tensor, data), True
    if found.dtype.kind not in _READ_AS[dtype.kind] and found.size:
        raise InvalidTensor(tensor.name, "data", _kind(found), _expected(found, tensor.datatype, dtype))
    if dtype.kind != "b" and isinstance(data, list) and _may_have_been_boolean(found) and _has_boolean(data):
        raise InvalidTensor(tensor.name, "data", "a boolean among numbers", f"{tensor.datatype} values")
    if dtype.kind == "f":
        return _fractions(tensor, found, dtype, not_finite)
    if dtype.kind in "iu":
        _check_range(tensor, found, dtype)
    return found


def from_raw(tensor: RequestInput, dtype: np.dtype[Any]) -> Array:
    """A view of exactly the tensor's bytes: no element comes from other memory.

    https://github.com/triton-inference-server/server/issues/7171 is what happens otherwise.
    """
    assert tensor.raw is not None
    size_bytes = math.prod(tensor.shape) * dtype.itemsize
    if len(tensor.raw) != size_bytes:
        expected = f"{size_bytes} for {tensor.datatype} of shape {list(tensor.shape)}"
        raise InvalidTensor(tensor.name, "parameters.binary_data_size", f"{len(tensor.raw)} bytes", expected)
    if dtype.kind == "b" and np.frombuffer(tensor.raw, np.uint8).max(initial=0) > 1:
        raise InvalidTensor(tensor.name, "data", "a byte above 1", "BOOL as bytes 0 and 1")
    return np.frombuffer(tensor.raw, dtype)


def _check_range(tensor: RequestInput, found: Array, dtype: np.dtype[Any]) -> None:
    limits = np.iinfo(dtype)
    if found.size and (int(found.min()) < limits.min or int(found.max()) > limits.max):
        came = f"{found.min()} to {found.max()}"
        raise InvalidTensor(tensor.name, "data", came, f"{tensor.datatype}, {limits.min} to {limits.max}")


def _fractions(tensor: RequestInput, found: Array, dtype: np.dtype[Any], not_finite: bool) -> Array:
    """As float64: integers round in two steps, as beside a fraction. `not_finite`: NaN and infinities are values."""
    found = found.astype(np.float64, copy=False)
    sizes = np.abs(found)
    beyond = _BEYOND[dtype.itemsize]
    if not np.maximum.reduce(sizes, axis=None, initial=0) < beyond:  # NaN, too
        wrong = (sizes >= beyond) & np.isfinite(found) if not_finite else ~(sizes < beyond)
        if wrong.any():
            raise InvalidTensor(tensor.name, "data", "a number out of range", f"{tensor.datatype} values")
    return found


def _found(tensor: RequestInput, data: list[Any]) -> Array:
    """As NumPy reads it without a dtype: shows the kind of the values before any conversion."""
    try:
        return np.array(data)
    except (ValueError, OverflowError, RecursionError):
        raise InvalidTensor(tensor.name, "data", "rows of different lengths", "rows of one length") from None


def _may_have_been_boolean(found: Array) -> bool:
    """Whether a boolean can be among the numbers. In large arrays a search for 0 and 1 is faster than for types."""
    return found.size <= FEW or bool(((found == 0) | (found == 1)).any())


def _has_boolean(data: list[Any]) -> bool:
    """Whether nested lists hold a boolean: among numbers NumPy reads true as 1."""
    kinds = set(map(type, data))
    return bool in kinds or (list in kinds and any(_has_boolean(row) for row in data))


def _with_not_finite(tensor: RequestInput, data: list[Any]) -> Array:
    """Reads the strings NaN, Infinity and -Infinity among numbers; returns other data as NumPy reads it."""
    try:
        values = np.array(data, dtype=object)
    except ValueError:
        return _found(tensor, data)
    leaves = values.reshape(-1)  # `flat` ends at 32 dimensions, arrays at 64
    flat = [NOT_FINITE.get(value, value) if type(value) is str else value for value in leaves]
    if not all(type(value) in (int, float) for value in flat):
        return _found(tensor, data)
    try:
        fractions = np.array(flat, np.float64)
    except OverflowError:
        fractions = np.array([math.inf])
    if np.isinf(fractions).sum() > sum(value in ("Infinity", "-Infinity") for value in leaves):
        raise InvalidTensor(tensor.name, "data", "a number out of range", f"{tensor.datatype} values")
    return fractions.reshape(values.shape)


def _beyond_int64(data: list[Any], found: Array) -> Array:
    """Integers of up to 64 bits as uint64: NumPy turns them into floats if only some of them need the 64th bit."""
    values = np.array(data, dtype=object)
    if all(type(value) is int and 0 <= value < 1 << 64 for value in values.reshape(-1)):
        return values.astype(np.uint64)
    return found


def _kind(found: Array) -> str:
    kind = found.dtype.kind
    if kind == "O":
        one = next((value for value in found.reshape(-1) if type(value) not in (int, float)), 0)
        return _OTHERS.get(type(one), "an object")
    return {"b": "booleans", "U": "strings", "f": "fractions"}.get(kind, f"{found.dtype} values")


def _expected(found: Array, datatype: str, dtype: np.dtype[Any]) -> str:
    """Says how a missing value is written where one came as null, as pandas writes it."""
    missing = dtype.kind == "f" and found.dtype.kind == "O" and any(value is None for value in found.reshape(-1))
    return f"{datatype} values" + (', "NaN" for one that is missing' if missing else "")
