"""Joins the parts of a job's results into one file, in order, with bounded memory."""

import shutil
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from maas_client.errors import DownloadFailed

BLOCK_BYTES = 8 << 20
MAX_ROWS = 1 << 28  # of a part, which may hold rows without a byte; a shard's input has 64 MB


def join(suffix: str, parts: Sequence[Path], target: BinaryIO) -> None:
    """Joins JSONL, CSV or NPY. Deletes each part once it is in `target`. Raises DownloadFailed, OSError."""
    joined = {"npy": _npy, "csv": _csv}.get(suffix.rpartition(".")[2], _lines)
    for part in joined(parts, target):
        part.unlink()


def _lines(parts: Sequence[Path], target: BinaryIO) -> Iterator[Path]:
    for part in parts:
        with part.open("rb") as file:
            shutil.copyfileobj(file, target, BLOCK_BYTES)
        yield part


def _csv(parts: Sequence[Path], target: BinaryIO) -> Iterator[Path]:
    """Writes the header, which every part has, once."""
    header = b""
    for part in parts:
        with part.open("rb") as file:
            found = _header(file)
            if not header:
                target.write(found)
            elif found and found != header:
                raise DownloadFailed(f"{part.name} has other columns than the parts before it")
            header = header or found
            shutil.copyfileobj(file, target, BLOCK_BYTES)
        yield part


def _header(file: BinaryIO) -> bytes:
    """The first record: quoted names may contain newlines."""
    header = b""
    while line := file.readline():
        header += line
        if header.count(b'"') % 2 == 0:
            break
    return header


class _Head(NamedTuple):
    """The header of an NPY file, and where its data begins."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int


def _npy(parts: Sequence[Path], target: BinaryIO) -> Iterator[Path]:
    """Joins on axis 0, as `numpy.save` writes the whole array. Strings take the width of the widest part."""
    heads = [_head(part) for part in parts]
    record = _record(heads)
    dtype = np.result_type(*(head.dtype for head in heads))
    said = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": (sum(head.shape[0] for head in heads), *record),
    }
    np.lib.format.write_array_header_1_0(target, said)
    for part, head in zip(parts, heads, strict=True):
        for rows in _rows(part, head, record):
            target.write(rows.astype(dtype, copy=False).tobytes())
        yield part


def _head(part: Path) -> _Head:
    try:
        with part.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
            head = _Head(shape, dtype, file.tell())
            if is_fortran or dtype.hasobject or dtype.fields or not shape or min(shape) < 0 or shape[0] > MAX_ROWS:
                raise ValueError(f"{dtype} of shape {shape!s:.200}")
            if head.offset + prod(shape) * dtype.itemsize != part.stat().st_size:
                raise ValueError(f"{part.stat().st_size:,} bytes for {dtype} of shape {shape!s:.200}")
            return head
    except Exception as error:  # NumPy evaluates the header as Python, which raises many classes
        raise DownloadFailed(f"{part.name} is not an array of rows: {error!s:.300}") from None


def _record(heads: Sequence[_Head]) -> tuple[int, ...]:
    """The shape of a row. In a part without any predicted record, variable dimensions are 0."""
    shapes = {head.shape[1:] for head in heads if prod(head.shape)} or {heads[0].shape[1:]}
    if len(shapes) > 1:
        raise DownloadFailed(
            f"the parts have rows of {len(shapes)} shapes ({', '.join(map(str, sorted(shapes)))}), which no one array "
            "holds: download them one by one, with --parts or join=False"
        )
    return shapes.pop()


def _rows(part: Path, head: _Head, record: tuple[int, ...]) -> Iterator["np.ndarray[Any, Any]"]:
    row_items = prod(record)
    block_rows = max(1, BLOCK_BYTES // max(1, row_items * head.dtype.itemsize))
    with part.open("rb") as file:
        file.seek(head.offset)
        for start in range(0, head.shape[0], block_rows):
            items = min(block_rows, head.shape[0] - start) * row_items
            if head.shape[1:] == record:
                yield np.fromfile(file, head.dtype, items)
            else:  # what the server writes for records that failed
                nothing: Any = {"f": np.nan, "U": ""}.get(head.dtype.kind, 0)
                yield np.full(items, nothing, head.dtype)
