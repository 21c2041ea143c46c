"""Converts arrays of a binary file to the datatype of an input, without loss and with errors by record."""

from typing import Any

import numpy as np

from maas.batch.formats.signatures import RecordTensor
from maas.errors import InvalidRequest
from maas.serving.datatypes import Array
from maas.serving.strings import array_of

_FROM = {"b": "b", "i": "iu", "u": "iu", "f": "fiu"}  # NumPy kinds that may become each kind


def check_castable(dtype: np.dtype[Any], tensor: RecordTensor, where: str) -> None:
    """Raises InvalidRequest where no value of the dtype fits the input."""
    if tensor.datatype == "BYTES":
        fits = dtype.kind in "USO"
    else:
        fits = tensor.datatype != "BF16" and dtype.kind in _FROM[tensor.dtype.kind]
    if not fits:
        expected = f"values that can be {tensor.datatype} without loss, for input '{tensor.name}'"
        raise InvalidRequest(f"{where}: got {dtype}, expected {expected}", field=where)


def cast(array: Array, tensor: RecordTensor) -> tuple[Array, dict[int, str]]:
    """(records, …) as the input's datatype, row-major, and the errors by record, whose values are undefined."""
    if tensor.datatype == "BYTES":
        return _strings(array, tensor)
    if array.dtype == tensor.dtype:
        return np.ascontiguousarray(array), {}
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(tensor.dtype, order="C")
    if tensor.dtype.kind == "f":
        is_bad = np.isinf(converted) & np.isfinite(array)
    elif np.can_cast(array.dtype, tensor.dtype):
        return converted, {}
    else:
        limits = np.iinfo(tensor.dtype)
        is_bad = (array < limits.min) | (array > limits.max)
    bad = np.flatnonzero(is_bad.reshape(len(array), -1).any(axis=1)) if is_bad.any() else ()
    said = f"inputs[{tensor.name}].data: got a number out of range, expected {tensor.datatype} values"
    return converted, {int(place): said for place in bad}


def _strings(array: Array, tensor: RecordTensor) -> tuple[Array, dict[int, str]]:
    errors: dict[int, str] = {}
    values = array.ravel().tolist()
    if array.dtype.kind == "S" or bytes in set(map(type, values)):
        for index, value in enumerate(values):
            try:
                values[index] = value.decode()
            except UnicodeDecodeError:
                place = index * len(array) // array.size
                errors[place] = f"inputs[{tensor.name}].data: got bytes that are not UTF-8, expected text"
                values[index] = ""
    return array_of(values).reshape(array.shape), errors
