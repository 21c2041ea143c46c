"""Decodes the tensors of a request into NumPy arrays and checks them against the model's signature.

Every mismatch is an InvalidTensor that names the input, what came and what was expected.
"""

import ctypes
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.errors import InvalidRequest, InvalidTensor
from maas.records import MetadataTensor
from maas.serving import numeric, strings
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput

Symbols = Mapping[str, Sequence[str | None]]

ALIGNMENT_BYTES = 64


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
        array = strings.from_raw(tensor, binary) if dtype.hasobject else numeric.from_raw(tensor, dtype)
    elif tensor.datatype == "BF16":
        raise InvalidTensor(tensor.name, "data", "BF16 in JSON", "BF16 as binary data")
    else:
        array = strings.from_json(tensor, binary) if dtype.hasobject else numeric.from_json(tensor, dtype)
    if array.shape != tensor.shape and (array.ndim != 1 or array.size != math.prod(tensor.shape)):
        expected = f"{math.prod(tensor.shape)} elements for shape {list(tensor.shape)}, flat or nested"
        raise InvalidTensor(tensor.name, "data", f"{array.size} elements of shape {list(array.shape)}", expected)
    try:
        return array.reshape(tensor.shape) if dtype.hasobject else aligned(array.reshape(tensor.shape), dtype)
    except ValueError:  # no elements, but dimensions that overflow NumPy's count
        raise InvalidTensor(tensor.name, "shape", list(tensor.shape), "dimensions that fit into memory") from None


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
