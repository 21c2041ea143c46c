"""One tensor of the Open Inference Protocol to and from NumPy: as JSON values, and as the raw bytes of its binary form.

Raw bytes are row-major and little-endian; each element of BYTES has its length before it, as u32.
"""

import struct
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from maas_client.errors import InvalidInput, InvalidResponse

DTYPES: dict[str, np.dtype[Any]] = {
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
    "BYTES": np.dtype(np.object_),
}
_DATATYPES = {dtype: datatype for datatype, dtype in DTYPES.items()}
_LENGTH = struct.Struct("<I")
_IN_JSON: dict[str, set[type]] = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float, type(None), str}, "O": {str}}
_SPELLINGS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


@dataclass(frozen=True, slots=True, eq=False)
class BF16:
    """An input of datatype BF16, which NumPy has no dtype for: its values' bits in an array of uint16."""

    bits: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "BF16":
        """Rounded to the nearest bfloat16, of two equally near ones to the even."""
        check_mask("values", values)
        if np.asarray(values).dtype.kind not in "iuf":
            raise InvalidInput(f"BF16 takes an array of numbers, got {np.asarray(values).dtype}")
        found = np.asarray(values, np.float32)
        wide = found.view(np.uint32).astype(np.uint64)
        bits = ((wide + 0x7FFF + ((wide >> 16) & 1)) >> 16).astype(np.uint16)
        return cls(np.where(np.isnan(found), np.uint16(0x7FC0), bits).reshape(found.shape))

    def wide(self) -> np.ndarray:
        """As float32, which holds each value."""
        return _wide(self.bits)


Tensor = np.ndarray | np.generic | BF16


def encode_binary(name: str, tensor: Tensor) -> tuple[dict[str, Any], memoryview | bytes]:
    """What the JSON says of an input, and its bytes. Raises InvalidInput for a dtype that the protocol has not."""
    datatype, array = _on_the_wire(name, tensor)
    if datatype == "BYTES":
        raw: memoryview | bytes = _joined(name, array)
    else:
        row_major = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        raw = row_major.reshape(-1).view(np.uint8).data
    said = {"name": name, "shape": list(array.shape), "datatype": datatype}
    return said | {"parameters": {"binary_data_size": len(raw)}}, raw


def encode_json(name: str, tensor: Tensor) -> dict[str, Any]:
    """An input with its data flat. Raises InvalidInput for what JSON or the protocol cannot carry."""
    datatype, array = _on_the_wire(name, tensor)
    if datatype == "BF16":
        raise InvalidInput(f"input '{name}' is of datatype BF16, which JSON cannot carry: send it as binary")
    flat = array.ravel(order="C")
    values = flat.tolist()
    if datatype == "BYTES":
        values = [_text(name, value) for value in values]
    elif flat.dtype.kind == "f" and not np.isfinite(flat).all():
        values = [value if np.isfinite(value) else _SPELLED[str(value)] for value in values]
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": values}


_SPELLED = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # JSON has no numbers for these


def _on_the_wire(name: str, tensor: Tensor) -> tuple[str, np.ndarray]:
    if isinstance(tensor, BF16):
        if tensor.bits.dtype != np.uint16:
            raise InvalidInput(f"input '{name}': the bits of BF16 are an array of uint16, not {tensor.bits.dtype}")
        return "BF16", tensor.bits
    check_mask(name, tensor)
    array = np.asarray(tensor)
    if array.dtype.name == "bfloat16":  # of ml_dtypes
        return "BF16", array.view(np.uint16)
    if array.dtype.kind in "UST":
        array = array.astype(np.object_)
    datatype = _DATATYPES.get(array.dtype.newbyteorder("="))
    if datatype is None:
        known = ", ".join([str(dtype) for dtype in _DATATYPES if dtype.kind != "O"] + ["str"])
        raise InvalidInput(f"input '{name}' is of dtype {array.dtype}: convert it to one of {known}")
    return datatype, array


def check_mask(name: str, tensor: object) -> None:
    """Raises InvalidInput for an array that hides values: they would be sent."""
    if np.ma.is_masked(tensor):
        raise InvalidInput(f"'{name}' holds masked values: fill them first, as with array.filled(0)")


def _joined(name: str, array: np.ndarray) -> bytes:
    pieces = []
    for value in array.ravel(order="C").tolist():
        if not isinstance(value, str | bytes):
            raise _no_text(name, value)
        try:
            element = value.encode() if isinstance(value, str) else value
        except UnicodeEncodeError:
            raise InvalidInput(f"'{name}' has a surrogate by itself, which no UTF-8 text has") from None
        pieces += [_LENGTH.pack(len(element)), element]
    return b"".join(pieces)


def _text(name: str, value: object) -> str:
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise InvalidInput(f"'{name}' has bytes that are not UTF-8, which JSON cannot carry") from None
    if not isinstance(text, str):
        raise _no_text(name, value)
    return text


def _no_text(name: str, value: object) -> InvalidInput:
    return InvalidInput(f"'{name}' holds a {type(value).__name__}: an array of objects is for text alone")


def decode(name: str, datatype: str, shape: tuple[int, ...], data: object, raw: memoryview | None = None) -> np.ndarray:
    """An output from its bytes, or from JSON's `data` where it has none; native byte order, writable, of this shape.

    BYTES become an object array of str, as onnxruntime's own do, or of bytes when one is not UTF-8. BF16 becomes
    float32, which holds each of its values. In JSON, null and "NaN" in a float output are NaN.
    Raises InvalidResponse.
    """
    try:
        if any(dimension < 0 for dimension in shape):
            raise ValueError(f"shape {list(shape)}")
        flat = _from_json(datatype, data) if raw is None else _from_bytes(datatype, raw, prod(shape))
        return flat.reshape(shape)
    except (KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise InvalidResponse(f"output '{name}' is not what its datatype and shape say ({error!r:.200})") from error


def _from_json(datatype: str, data: object) -> np.ndarray:
    """Raises KeyError, TypeError, ValueError, OverflowError."""
    dtype = DTYPES[datatype]
    if not isinstance(data, list):
        raise TypeError(f"data is {data!r:.80}")
    flat = np.asarray(data, np.object_).ravel().tolist()
    strange = set(map(type, flat)) - _IN_JSON[dtype.kind]
    if strange:
        raise TypeError(f"{datatype} data holds {', '.join(sorted(kind.__name__ for kind in strange))}")
    if dtype.kind == "f":
        wide = np.array([_SPELLINGS[one] if isinstance(one, str) else one for one in flat], np.float64)
        with np.errstate(over="ignore"):
            array = wide.astype(dtype)
        if (np.isinf(array) & np.isfinite(wide)).any():
            raise OverflowError(f"a value beyond {datatype}")
        return array
    return np.array(flat, dtype)


def _from_bytes(datatype: str, raw: memoryview, count: int) -> np.ndarray:
    if datatype == "BYTES":
        return _elements(raw, count)
    if datatype == "BF16":
        return _wide(np.frombuffer(raw, "<u2"))
    dtype = DTYPES[datatype]
    return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype)


def _wide(bits: np.ndarray) -> np.ndarray:
    return np.asarray(bits.astype(np.uint32) << 16).view(np.float32)


def _elements(raw: memoryview, count: int) -> np.ndarray:
    elements, at = [], 0
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + length > len(raw):
            raise ValueError(f"an element of {length} bytes where {len(raw) - at} are left")
        elements.append(bytes(raw[at : at + length]))
        at += length
    array = np.empty(len(elements), np.object_)
    try:
        array[:] = [element.decode() for element in elements]
    except UnicodeDecodeError:
        array[:] = elements
    if len(elements) != count:
        raise ValueError(f"{len(elements)} elements")
    return array
