"""Tensors and external data of an .onnx file, read without loading it.

Walks the protobuf's bytes in a memory map: memory does not grow with the model, and no C++ parser sees an untrusted
file before its external data is known to lie inside the upload (docs/adr/0012). Field numbers are those of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, encoding https://protobuf.dev/programming-guides/encoding.
"""

import math
import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from maas.errors import ModelRejected

MAX_PROTOBUF_BYTES = (1 << 31) - 1
MAX_DEPTH = 64
MAX_PARTS = 5_000_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DRIVE = re.compile(r"[A-Za-z]:|[\\/]")
# Fields of each message whose messages may contain tensors.
_CHILDREN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
# Bytes of one element by TensorProto.DataType; 0 for strings.
ELEMENT_BYTES: Mapping[int, float] = (
    {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 8: 0, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
    | dict.fromkeys((17, 18, 19, 20, 24), 1.0)
    | dict.fromkeys((21, 22, 23), 0.5)
    | dict.fromkeys((25, 26), 0.25)
)
_DIMS, _DATA_TYPE, _NAME, _EXTERNAL_DATA, _DATA_LOCATION = 1, 2, 8, 13, 14


@dataclass(frozen=True, slots=True)
class External:
    """The bytes of a tensor in another file."""

    tensor: str
    location: str
    offset: int
    length: int


def check(path: Path, max_tensor_bytes: int) -> None:
    """Raises ModelRejected for a file that is no protobuf, a tensor beyond the limit, or bad external data.

    External data lies in regular files beside the model, inside their bounds, and no two tensors share a byte.
    """
    externals = read_externals(path, max_tensor_bytes)
    taken: dict[str, list[tuple[int, int, str]]] = {}
    for one in externals:
        size_bytes = _file_size(path.parent, one)
        if one.offset + one.length > size_bytes:
            end = one.offset + one.length
            raise _wrong(one, f"ends at byte {end:,} of {one.location}, which has {size_bytes:,}")
        taken.setdefault(one.location, []).append((one.offset, one.offset + one.length, one.tensor))
    for location, ranges in taken.items():
        ranges.sort()
        for (_, end, first), (start, _, second) in pairwise(ranges):
            if start < end:
                raise ModelRejected(
                    f"external data of tensors '{first}' and '{second}' overlaps in {location}: "
                    "each tensor needs bytes of its own"
                )


def read_externals(path: Path, max_tensor_bytes: int) -> list[External]:
    """External data of all tensors: initialisers, attributes, nested graphs, functions. Raises ModelRejected."""
    tensors = (message for kind, message in messages(path) if kind == "tensor")
    return [found for tensor in tensors if (found := _external(tensor, max_tensor_bytes))]


def messages(path: Path) -> Iterator[tuple[str, memoryview]]:
    """All messages that may contain tensors, and the tensors, each with its kind. Raises ModelRejected."""
    size_bytes = path.stat().st_size
    if size_bytes > MAX_PROTOBUF_BYTES:
        raise ModelRejected(f"{path.name} has {size_bytes:,} bytes, a protobuf at most 2 GB: export with external data")
    if not size_bytes:
        raise _unreadable()
    with path.open("rb") as file:
        # Left to the garbage collector to close: an error's traceback still holds slices of it.
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    yield from _walked(mapped)


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values in file order. Raises ModelRejected if the bytes are no protobuf message."""
    position, end = 0, len(message)
    while position < end:
        tag, position = varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = varint(message, position)
            yield number, value
            continue
        if kind == _BYTES:
            length, position = varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise _unreadable()
        if number == 0 or position + length > end:
            raise _unreadable()
        yield number, message[position : position + length]
        position += length


def varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 70:
        byte = message[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value & ((1 << 64) - 1), position
    raise _unreadable()


def packed(value: int | memoryview) -> list[int]:
    """The numbers of a repeated int64 field: one, or many when packed."""
    if isinstance(value, int):
        return [value]
    numbers, position = [], 0
    while position < len(value):
        number, position = varint(value, position)
        numbers.append(number)
    return numbers


def _walked(model: memoryview) -> Iterator[tuple[str, memoryview]]:
    waiting, met = [("model", model, 0)], 0
    while waiting:
        kind, message, depth = waiting.pop()
        met += 1
        if met > MAX_PARTS:
            raise ModelRejected(f"the graph has more than {MAX_PARTS:,} nodes, attributes and tensors")
        yield kind, message
        if kind == "tensor":
            continue
        if depth > MAX_DEPTH:
            raise ModelRejected(f"graphs are nested more than {MAX_DEPTH} deep")
        children = _CHILDREN[kind]
        for number, value in fields(message):
            if number in children and isinstance(value, memoryview):
                waiting.append((children[number], value, depth + 1))


def _external(tensor: memoryview, max_tensor_bytes: int) -> External | None:
    dims: list[int] = []
    data_type = location = 0
    name, entries = "", {}
    for number, value in fields(tensor):
        if number == _DIMS:
            dims += packed(value)
        elif number == _DATA_TYPE and isinstance(value, int):
            data_type = value
        elif number == _DATA_LOCATION and isinstance(value, int):
            location = value
        elif isinstance(value, memoryview):
            if number == _NAME:
                name = _text(value)
            elif number == _EXTERNAL_DATA:
                entry = {key: _text(text) for key, text in fields(value) if isinstance(text, memoryview)}
                entries[entry.get(1, "")] = entry.get(2, "")
    size_bytes = _declared_bytes(name, dims, data_type)
    if size_bytes > max_tensor_bytes:
        raise ModelRejected(
            f"tensor '{name}' of shape {dims} has {size_bytes:,} bytes, allowed are {max_tensor_bytes:,} "
            "(parameter MaxTensorBytes of the template)"
        )
    if not location and not entries:
        return None
    return _checked_external(name, entries, size_bytes)


def _declared_bytes(name: str, dims: list[int], data_type: int) -> int:
    if data_type not in ELEMENT_BYTES:
        raise ModelRejected(f"tensor '{name}' has the unknown data type {data_type}")
    if any(dimension >= 1 << 63 for dimension in dims):
        raise ModelRejected(f"tensor '{name}' has a negative dimension")
    return math.ceil(math.prod(dims) * ELEMENT_BYTES[data_type])


def _checked_external(name: str, entries: Mapping[str, str], size_bytes: int) -> External:
    location = entries.get("location", "")
    told = External(name, location, 0, size_bytes)
    if _DRIVE.match(location):
        raise _wrong(told, f"is at '{location:.200}', an absolute path: export with data files beside the model")
    parts = PurePosixPath(location.replace("\\", "/")).parts
    if not parts or ".." in parts or "\0" in location:
        raise _wrong(told, f"is at '{location:.200}', outside of the model's folder")
    offset, length = entries.get("offset", "0"), entries.get("length", str(size_bytes))
    for what, text in (("offset", offset), ("length", length)):
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise _wrong(told, f"has the {what} '{text:.40}', expected a whole number")
    if int(length) != size_bytes:
        raise _wrong(told, f"has {int(length):,} bytes, its shape {size_bytes:,}")
    return External(name, location, int(offset), int(length))


def _file_size(folder: Path, one: External) -> int:
    path = folder
    for part in PurePosixPath(one.location).parts:
        path = path / part
        if path.is_symlink():
            raise _wrong(one, f"is at '{one.location}', which is a link")
    if not path.is_file():
        raise _wrong(one, f"is at '{one.location}', which was not uploaded with the model")
    return path.stat().st_size


def _wrong(one: External, what: str) -> ModelRejected:
    return ModelRejected(f"external data of tensor '{one.tensor}' {what}")


def _text(value: memoryview) -> str:
    return str(value, "utf-8", "replace")


def _unreadable() -> ModelRejected:
    reason = "truncated, or of another format; export and push it again"
    return ModelRejected(f"the file is not a readable ONNX file: {reason}")
