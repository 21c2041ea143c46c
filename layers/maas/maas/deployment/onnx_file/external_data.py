"""Tensors' sizes and where their bytes are, if not in the model file."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from maas.deployment.onnx_file.walk import Keep, Part
from maas.errors import ModelRejected
from maas.records import is_unserved

_DRIVE = re.compile(r"[A-Za-z]:|[\\/]")
# What of a message these checks need.
KEEP: Keep = {
    "TensorProto": {"name", "dims", "data_type", "data_location", "external_data"},
    "SparseTensorProto": {"values", "dims"},
    "StringStringEntryProto": {"key", "value"},
}
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEYS = frozenset({"location", "offset", "length", "checksum"})
MAX_DIMENSIONS = 64  # NumPy's limit
_EXTERNAL = 1  # TensorProto.DataLocation
# Bytes of one element by TensorProto.DataType; 0 for strings.
ELEMENT_BYTES: Mapping[int, float] = (
    {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 8: 0, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
    | dict.fromkeys((17, 18, 19, 20, 24), 1.0)
    | dict.fromkeys((21, 22, 23), 0.5)
    | dict.fromkeys((25, 26), 0.25)
)


@dataclass(frozen=True, slots=True)
class External:
    """The bytes of a tensor in another file; `location` is its path from the model's folder, in its shortest form."""

    tensor: str
    location: str
    offset: int
    length: int


def external_of(tensor: Part, max_tensor_bytes: int) -> External | None:
    """Where a TensorProto's bytes are; None for one that holds them.

    Raises ModelRejected for a tensor beyond the limit, and for external data that parsers could read differently.
    """
    name = tensor.shown("name")
    size_bytes = _declared_bytes(name, tensor, tensor.integer("data_type"), max_tensor_bytes)
    entries = _entries(name, tensor.parts("external_data"))
    if tensor.integer("data_location") != _EXTERNAL and not entries:
        return None
    return _checked(name, entries, size_bytes)


def check_sparse(sparse: Part, max_tensor_bytes: int) -> None:
    """Raises ModelRejected for a SparseTensorProto beyond the limit: onnxruntime makes a dense tensor of it."""
    for values in sparse.parts("values"):
        _declared_bytes(values.shown("name"), sparse, values.integer("data_type"), max_tensor_bytes)


def check_files(folder: Path, externals: Sequence[External]) -> None:
    """Raises ModelRejected unless all lie in regular files of the folder, inside their bounds, with no shared byte."""
    taken: dict[str, list[tuple[int, int, str]]] = {}
    for one in externals:
        if is_unserved(one.location):
            raise _wrong(one, f"is at '{one.location:.200}', which is for test vectors or examples and is not served")
        size_bytes = _file_size(folder, one)
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


def _declared_bytes(name: str, shaped: Part, data_type: int, max_tensor_bytes: int) -> int:
    """Bytes of the elements of `shaped`, a tensor or sparse tensor."""
    dims = shaped.numbers("dims", MAX_DIMENSIONS)
    if dims is None:
        raise ModelRejected(f"tensor '{name}' has more than {MAX_DIMENSIONS} dimensions")
    if data_type not in ELEMENT_BYTES:
        raise ModelRejected(f"tensor '{name}' has the unknown data type {data_type}")
    if any(dimension >= 1 << 63 for dimension in dims):
        raise ModelRejected(f"tensor '{name}' has a negative dimension")
    size_bytes = math.ceil(math.prod(dims) * ELEMENT_BYTES[data_type])
    if size_bytes > max_tensor_bytes:
        raise ModelRejected(
            f"tensor '{name}' of shape {dims} has {size_bytes:,} bytes, allowed are {max_tensor_bytes:,} "
            "(parameter MaxTensorBytes of the template)"
        )
    return size_bytes


def _entries(name: str, parts: Sequence[Part]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for part in parts:
        key = part.text("key")
        if key not in _KEYS or key in entries:
            what = "has two entries" if key in entries else "has the unknown entry"
            raise ModelRejected(f"external data of tensor '{name}' {what} '{key:.40}'")
        entries[key] = part.text("value")
    return entries


def _checked(name: str, entries: Mapping[str, str], size_bytes: int) -> External:
    location = entries.get("location", "")
    told = External(name, location, 0, size_bytes)
    if _DRIVE.match(location):
        raise _wrong(told, f"is at '{location:.200}', an absolute path: export with data files beside the model")
    parts = PurePosixPath(location.replace("\\", "/")).parts
    if not parts or ".." in parts or "\0" in location:
        raise _wrong(told, f"is at '{location:.200}', outside of the model's folder")
    offset, length = entries.get("offset", "0"), entries.get("length", str(size_bytes))
    for what, text in (("offset", offset), ("length", length)):
        if not _WHOLE.fullmatch(text):
            raise _wrong(told, f"has the {what} '{text:.40}', expected a whole number")
    if int(length) != size_bytes:
        raise _wrong(told, f"has {int(length):,} bytes, its shape {size_bytes:,}")
    return External(name, str(PurePosixPath(location)), int(offset), int(length))


def _file_size(folder: Path, one: External) -> int:
    path = folder
    for part in PurePosixPath(one.location).parts:
        path = path / part
        if path.is_symlink():
            raise _wrong(one, f"is at '{one.location:.200}', which is a link")
    if not path.is_file():
        raise _wrong(one, f"is at '{one.location:.200}', which was not uploaded with the model")
    return path.stat().st_size


def _wrong(one: External, what: str) -> ModelRejected:
    return ModelRejected(f"external data of tensor '{one.tensor:.200}' {what}")
