"""Checks of a model file before a library parses it."""

import mmap
from collections.abc import Iterator
from pathlib import Path

from maas.deployment.onnx_file import external_data, function_calls
from maas.deployment.onnx_file.external_data import External
from maas.deployment.onnx_file.function_calls import Functions
from maas.deployment.onnx_file.walk import Keep, Part, walk
from maas.deployment.onnx_file.wire import unreadable
from maas.errors import ModelRejected

MAX_PROTOBUF_BYTES = (1 << 31) - 1
MAX_EXTERNALS = 100_000
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def check(path: Path, max_tensor_bytes: int) -> None:
    """Raises ModelRejected for what `read_externals` refuses, and for external data that is not there or overlaps."""
    external_data.check_files(path.parent, read_externals(path, max_tensor_bytes))


def read_externals(path: Path, max_tensor_bytes: int) -> list[External]:
    """External data of all tensors: initialisers, attributes, nested graphs, functions.

    Raises ModelRejected for a file that is no ONNX file or that two parsers could read differently, tensors beyond the
    limit, and calls of functions that come to too many nodes.
    """
    return externals_of(_mapped(path), max_tensor_bytes)


def externals_of(model: memoryview, max_tensor_bytes: int) -> list[External]:
    """`read_externals` for a file's bytes."""
    functions, externals = Functions(), list[External]()
    for part in walk(model, {**external_data.KEEP, **function_calls.KEEP}):
        if part.kind == "TensorProto":
            if found := external_data.external_of(part, max_tensor_bytes):
                externals.append(found)
        elif part.kind == "SparseTensorProto":
            external_data.check_sparse(part, max_tensor_bytes)
        elif part.kind == "FunctionProto":
            functions.declare(part)
        if len(externals) > MAX_EXTERNALS:
            raise ModelRejected(f"more than {MAX_EXTERNALS:,} tensors have external data")
    if functions:
        functions.check_calls(walk(model, function_calls.KEEP))
    return externals


def parts(path: Path, keep: Keep) -> Iterator[Part]:
    """The messages of a file, see `walk`."""
    return walk(_mapped(path), keep)


def _mapped(path: Path) -> memoryview:
    """The file's bytes in a memory map. Raises ModelRejected for a file that is empty or over 2 GB."""
    size_bytes = path.stat().st_size
    if size_bytes > MAX_PROTOBUF_BYTES:
        raise ModelRejected(f"{path.name} has {size_bytes:,} bytes, a protobuf at most 2 GB: export with external data")
    if not size_bytes:
        raise unreadable("it is empty")
    with path.open("rb") as file:
        # Left to the garbage collector to close: an error's traceback still holds slices of it.
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if content[: len(_LFS_POINTER)] == _LFS_POINTER:
        raise ModelRejected("the file is a pointer of Git LFS, not the model: run `git lfs pull`, then push again")
    return content
