"""The tensor codec: what the wire calls a tensor ↔ NumPy arrays, checked against the model's signature.

Every mismatch is an InvalidTensor that names the input, what came and what was expected; nothing is converted
silently: a fraction never becomes an integer, a string never a number, an overflow never infinity.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.errors import InvalidRequest, InvalidTensor
from maas.oip import RequestInput
from maas.records import MetadataTensor

Array = np.ndarray[Any, Any]

DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}


def decode(inputs: Sequence[RequestInput], signature: Sequence[MetadataTensor]) -> dict[str, Array]:
    """The arrays of a request by input name, each of its declared shape and datatype, row-major.

    Raises InvalidTensor for a wrong name, datatype, shape, element count or value; InvalidRequest for missing and
    repeated inputs.
    """
    expected = {tensor.name: tensor for tensor in signature}
    arrays: dict[str, Array] = {}
    for tensor in inputs:
        if tensor.name not in expected:
            raise InvalidTensor(tensor.name, "name", f"'{tensor.name}'", f"one of {sorted(expected)}")
        if tensor.name in arrays:
            raise InvalidTensor(tensor.name, "name", "it twice", "each input once")
        _check_declared(tensor, expected[tensor.name])
        arrays[tensor.name] = _array(tensor)
    missing = sorted(expected.keys() - arrays.keys())
    if missing:
        raise InvalidRequest(f"inputs: got {sorted(arrays)}, expected also {missing}", field="inputs")
    return arrays


def _check_declared(tensor: RequestInput, expected: MetadataTensor) -> None:
    if tensor.datatype != expected.datatype:
        raise InvalidTensor(tensor.name, "datatype", tensor.datatype, expected.datatype)
    fits = len(tensor.shape) == len(expected.shape) and all(
        fixed in (-1, came) for came, fixed in zip(tensor.shape, expected.shape, strict=True)
    )
    if not fits:
        raise InvalidTensor(tensor.name, "shape", list(tensor.shape), f"{list(expected.shape)} (-1: any size)")


def _array(tensor: RequestInput) -> Array:
    dtype = DTYPES[tensor.datatype]
    array = _strings(tensor) if dtype.hasobject else _numbers(tensor, dtype)
    if array.shape != tensor.shape and (array.ndim != 1 or array.size != math.prod(tensor.shape)):
        expected = f"{math.prod(tensor.shape)} elements for shape {list(tensor.shape)}, flat or nested alike"
        raise InvalidTensor(tensor.name, "data", f"{array.size} elements of shape {list(array.shape)}", expected)
    try:
        return array.reshape(tensor.shape)
    except ValueError:  # no elements, yet dimensions beyond what NumPy can count
        raise InvalidTensor(tensor.name, "shape", list(tensor.shape), "dimensions that fit into memory") from None


def _numbers(tensor: RequestInput, dtype: np.dtype[Any]) -> Array:
    if not tensor.data:
        return np.empty(0, dtype)
    try:
        # Without a dtype, so that NumPy tells what is there before anything is converted.
        found = np.array(tensor.data)
    except (ValueError, OverflowError):
        raise InvalidTensor(tensor.name, "data", "rows of different lengths", "rows of one length") from None
    if dtype == np.uint64 and found.dtype.kind in "fO":
        found = _beyond_int64(tensor.data, found)
    allowed = {"b": "b", "u": "iu", "i": "iu", "f": "iuf"}[dtype.kind]
    if found.dtype.kind not in allowed and found.size:
        raise InvalidTensor(tensor.name, "data", _kind(found), f"{tensor.datatype} values")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if found.size and (int(found.min()) < limits.min or int(found.max()) > limits.max):
            raise InvalidTensor(
                tensor.name,
                "data",
                f"{found.min()} to {found.max()}",
                f"{tensor.datatype}, {limits.min} to {limits.max}",
            )
        return found.astype(dtype, copy=False)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            converted = found.astype(dtype, copy=False)
        if not np.isfinite(converted).all():  # JSON has no infinity, so one is an overflow
            raise InvalidTensor(tensor.name, "data", "a number out of range", f"{tensor.datatype} values")
        return converted
    return found.astype(dtype, copy=False)


def _beyond_int64(data: list[Any], found: Array) -> Array:
    """Integers of which some need the 64th bit: NumPy makes floats of them where smaller ones stand beside them."""
    values = np.array(data, dtype=object)
    if all(type(value) is int and 0 <= value < 1 << 64 for value in values.flat):
        return values.astype(np.uint64)
    return found


def _kind(found: Array) -> str:
    return {"b": "booleans", "U": "strings", "O": "nulls, objects or numbers beyond 64 bits", "f": "fractions"}.get(
        found.dtype.kind, f"{found.dtype} values"
    )


def _strings(tensor: RequestInput) -> Array:
    """An object array of str, filled by hand: NumPy would make fixed-width copies of strings."""
    shape = _nested_shape(tensor.data, len(tensor.shape))
    leaves: list[Any] = tensor.data
    for _ in shape[1:]:
        if any(type(row) is not list for row in leaves):
            raise InvalidTensor(tensor.name, "data", "arrays and strings side by side", "rows of one length")
        leaves = [item for row in leaves for item in row]
    if len(leaves) != math.prod(shape) or any(type(leaf) is not str for leaf in leaves):
        raise InvalidTensor(tensor.name, "data", "something else than strings", "BYTES as JSON strings")
    array = np.empty(len(leaves), dtype=object)
    array[:] = leaves
    return array.reshape(shape)


def _nested_shape(data: list[Any], rank: int) -> tuple[int, ...]:
    """The shape that nested lists claim by their first elements, at most `rank` deep."""
    shape = [len(data)]
    while len(shape) < rank and data and type(data[0]) is list:
        data = data[0]
        shape.append(len(data))
    return tuple(shape)
