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
_EXPORT = "export the model to ONNX first"
# What other files begin with; no message of ONNX does.
_OTHERS = (
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS", "run `git lfs pull`, then push again"),
    *((b"\x80%c" % protocol, "a Python pickle", _EXPORT) for protocol in range(2, 6)),
    (b"PK\3\4", "a zip archive, as of PyTorch or Keras", _EXPORT + ", or unpack it"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it, then push again"),
    (b"\x89HDF", "an HDF5 file, as of Keras", _EXPORT),
    (b"\x93NUMPY", "an array of NumPy", _EXPORT),
    (b"<", "HTML or XML, such as a page in place of a download", "download the model again"),
)


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
    """The file's bytes in a memory map. Raises ModelRejected for one that is empty, over 2 GB or of another format."""
    size_bytes = path.stat().st_size
    if size_bytes > MAX_PROTOBUF_BYTES:
        raise ModelRejected(f"{path.name} has {size_bytes:,} bytes, a protobuf at most 2 GB: export with external data")
    if not size_bytes:
        raise unreadable("it is empty")
    with path.open("rb") as file:
        # Left to the garbage collector to close: an error's traceback still holds slices of it.
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    for beginning, what, advice in _OTHERS:
        if content[: len(beginning)] == beginning:
            raise ModelRejected(f"the file is {what}, not an ONNX model: {advice}")
    return content
