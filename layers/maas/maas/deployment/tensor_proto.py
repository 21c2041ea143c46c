"""A serialised TensorProto as an array: how ONNX's test vectors are written."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from maas.deployment.onnx_file import fields, packed
from maas.errors import ModelRejected
from maas.serving.strings import array_of

Array = np.ndarray[Any, Any]

# TensorProto.DataType → the array's dtype, and the field with its values where they are not raw (which is field 9).
_INT32_DATA = 5
_TYPES: dict[int, tuple[Any, int]] = {
    1: (np.float32, 4),
    2: (np.uint8, _INT32_DATA),
    3: (np.int8, _INT32_DATA),
    4: (np.uint16, _INT32_DATA),
    5: (np.int16, _INT32_DATA),
    6: (np.int32, _INT32_DATA),
    7: (np.int64, 7),
    8: (object, 6),
    9: (np.bool_, _INT32_DATA),
    10: (np.float16, _INT32_DATA),
    11: (np.float64, 10),
    12: (np.uint32, 11),
    13: (np.uint64, 11),
    16: (np.uint16, _INT32_DATA),  # bfloat16, by its bits
}
_RAW_DATA = 9


def read_tensor(path: Path) -> Array:
    """Raises ModelRejected for a file that is no tensor, or one of a type that has no array."""
    dims: list[int] = []
    values: dict[int, list[Any]] = {}
    data_type = 0
    for number, value in fields(memoryview(path.read_bytes())):
        if number == 1:
            dims += packed(value)
        elif number == 2 and isinstance(value, int):
            data_type = value
        else:
            values.setdefault(number, []).append(value)
    if data_type not in _TYPES:
        raise ModelRejected(f"{path.parent.name}/{path.name}: tensors of data type {data_type} cannot be compared")
    dtype, place = _TYPES[data_type]
    flat = _flat(np.dtype(dtype), data_type, place, values)
    if flat.size != math.prod(dims):
        raise ModelRejected(f"{path.parent.name}/{path.name}: {flat.size} elements for the shape {dims}")
    return flat.reshape(dims)


def _flat(dtype: np.dtype[Any], data_type: int, place: int, values: dict[int, list[Any]]) -> Array:
    if dtype.hasobject:
        return array_of([str(one, "utf-8", "replace") for one in values.get(place, [])])
    try:
        if _RAW_DATA in values:
            return np.frombuffer(values[_RAW_DATA][0], dtype)
        if dtype.kind == "f" and data_type != 10:
            return np.frombuffer(b"".join(bytes(one) for one in values.get(place, [])), dtype)
    except (ValueError, TypeError):
        raise ModelRejected("a test vector with half an element") from None
    numbers = [number for one in values.get(place, []) for number in packed(one)]
    if data_type == 10:
        return np.array(numbers, np.uint64).astype(np.uint16).view(np.float16)
    return np.array(numbers, np.uint64).astype(np.int64).astype(dtype)
