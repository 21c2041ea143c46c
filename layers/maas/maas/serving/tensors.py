"""Decodes the tensors of a request into NumPy arrays and checks them against the model's signature.

Every mismatch is an InvalidTensor that names the input, what came and what was expected. Nothing is converted
silently: no fraction to an integer, no string to a number, no overflow to infinity.
"""

import ctypes
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.errors import InvalidRequest, InvalidTensor
from maas.records import MetadataTensor
from maas.serving import strings
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput

Symbols = Mapping[str, Sequence[str | None]]

ALIGNMENT_BYTES = 64
FEW = 1000
# The kinds of NumPy's types that JSON is read as, by the kind of the tensor's type.
_READ_AS = {"b": "b", "u": "iu", "i": "iu", "f": "iuf"}
# By bytes of a type for fractions: the smallest number that rounds to infinity.
_BEYOND = {2: 65520.0, 4: 2.0**128 - 2.0**103, 8: math.inf}
_OTHERS = {type(None): "null", int: "a number beyond 64 bits", str: "a string", bool: "a boolean", list: "an array"}
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decode(
    inputs: Sequence[RequestInput], signature: Sequence[MetadataTensor], symbols: Symbols | None = None
) -> dict[str, Array]:
    """The arrays of a request by input name, each with its declared shape and datatype, row-major.

    `symbols` has the names of each input's variable dimensions: dimensions of one name must have one size.
    Raises InvalidTensor for a wrong name, datatype, shape, element count or value; InvalidRequest for missing inputs.
    """
    expected = {tensor.name: tensor for tensor in signature}
    arrays: dict[str, Array] = {}
    for tensor in inputs:
        if tensor.name not in expected:
            raise InvalidTensor(tensor.name, "name", f"'{tensor.name}'", f"one of {sorted(expected)}")
        if tensor.name in arrays:
            raise InvalidTensor(tensor.name, "name", "this input twice", "each input once")
        _check_declared(tensor, expected[tensor.name])
        arrays[tensor.name] = _array(tensor, expected[tensor.name].binary)
    missing = [tensor.name for tensor in signature if not tensor.optional and tensor.name not in arrays]
    if missing:
        raise InvalidRequest(f"inputs: got {sorted(arrays)}, expected also {missing}", field="inputs")
    if symbols:
        check_symbols(arrays, symbols)
    return arrays


def required_inputs(signature: Sequence[MetadataTensor]) -> list[MetadataTensor]:
    """The inputs that a request must give. All, if every input has a default: then requests give at least one."""
    return [tensor for tensor in signature if not tensor.optional] or list(signature)


def check_symbols(arrays: Mapping[str, Array], symbols: Symbols) -> None:
    """Raises InvalidTensor if dimensions of one name differ in size."""
    sizes: dict[str, tuple[int, str]] = {}
    for name, array in arrays.items():
        for symbol, size in zip(symbols.get(name, ()), array.shape, strict=False):
            if symbol is None:
                continue
            agreed, first = sizes.setdefault(symbol, (size, name))
            if agreed != size:
                raise InvalidTensor(name, "shape", list(array.shape), f"{symbol}={agreed}, as in input '{first}'")


def raw_input(body: memoryview, signature: Sequence[MetadataTensor]) -> dict[str, Array]:
    """The input of a body that holds one input of batch 1 and no JSON.

    The first dimension, if variable, is 1; one more variable dimension follows from the number of bytes. Raises
    InvalidRequest unless the model has one required input whose shape these rules give.
    """
    required = required_inputs(signature)
    if len(required) != 1:
        names = [tensor.name for tensor in required]
        raise InvalidRequest(f"body: got one raw input, expected JSON with the inputs {names}", field="body")
    tensor = required[0]
    shape = [*tensor.shape]
    if shape and shape[0] == -1:
        shape[0] = 1
    if shape.count(-1) > 1:
        raise InvalidTensor(
            tensor.name, "shape", "a raw body", f"JSON: {list(tensor.shape)} has several variable sizes"
        )
    if tensor.datatype == "BYTES":
        shape = [1 if dimension == -1 else dimension for dimension in shape]
        length = len(body).to_bytes(4, "little")
        element = RequestInput(tensor.name, "BYTES", tuple(shape), raw=memoryview(length + body))
        return {tensor.name: _array(element, tensor.binary)}
    if -1 in shape:
        row_bytes = DTYPES[tensor.datatype].itemsize * -math.prod(shape)
        shape[shape.index(-1)] = len(body) // row_bytes if row_bytes else 0
    return {tensor.name: _array(RequestInput(tensor.name, tensor.datatype, tuple(shape), raw=body))}


def _check_declared(tensor: RequestInput, expected: MetadataTensor) -> None:
    if tensor.datatype != expected.datatype:
        raise InvalidTensor(tensor.name, "datatype", tensor.datatype, expected.datatype)
    fits = len(tensor.shape) == len(expected.shape)
    for came, fixed in zip(tensor.shape, expected.shape, strict=False):
        fits = fits and fixed in (-1, came)
    if not fits:
        raise InvalidTensor(tensor.name, "shape", list(tensor.shape), f"{list(expected.shape)} (-1: any size)")


def _array(tensor: RequestInput, binary: bool = False) -> Array:
    dtype = DTYPES[tensor.datatype]
    if tensor.raw is not None:
        array = strings.from_raw(tensor, binary) if dtype.hasobject else _from_raw(tensor, dtype)
    elif tensor.datatype == "BF16":
        raise InvalidTensor(tensor.name, "data", "BF16 in JSON", "BF16 as binary data")
    else:
        array = strings.from_json(tensor, binary) if dtype.hasobject else _numbers(tensor, dtype)
    if array.shape != tensor.shape and (array.ndim != 1 or array.size != math.prod(tensor.shape)):
        expected = f"{math.prod(tensor.shape)} elements for shape {list(tensor.shape)}, flat or nested"
        raise InvalidTensor(tensor.name, "data", f"{array.size} elements of shape {list(array.shape)}", expected)
    try:
        return array.reshape(tensor.shape) if dtype.hasobject else aligned(array.reshape(tensor.shape), dtype)
    except ValueError:  # no elements, but dimensions that overflow NumPy's count
        raise InvalidTensor(tensor.name, "shape", list(tensor.shape), "dimensions that fit into memory") from None


def _from_raw(tensor: RequestInput, dtype: np.dtype[Any]) -> Array:
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


def aligned(array: Array, dtype: np.dtype[Any]) -> Array:
    """A copy of this type, whose range was checked, at an address that is a multiple of a cache line.

    onnxruntime sums in an order that depends on the address: without this, the last bits of an answer change with the
    length of the request's header. The address comes from ctypes since `__array_interface__` takes five times as long.
    """
    buffer = np.empty(array.size * dtype.itemsize + ALIGNMENT_BYTES, np.uint8)
    start = -ctypes.addressof(ctypes.c_char.from_buffer(buffer)) % ALIGNMENT_BYTES
    copy: Array = np.ndarray(array.shape, dtype, buffer, start)
    copy[...] = array
    return copy


def _numbers(tensor: RequestInput, dtype: np.dtype[Any]) -> Array:
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
