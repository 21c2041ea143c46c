"""Reads NPY: the rows of an array, on axis 0, are the records of the one input. Pickled objects are refused."""

import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from maas.batch.formats import cuts
from maas.batch.formats.blocks import BLOCK_BYTES, FIRST_BYTES, read_ahead
from maas.batch.formats.casting import cast, check_castable
from maas.batch.formats.interface import Chunk, Options, Plan, Source
from maas.batch.formats.signatures import RecordTensor, record_inputs
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

MAX_HEADER_BYTES = 16 << 10
MAX_VALUES = 1 << 63  # NumPy's own limit


def plan(source: Source, shard_bytes: int) -> Plan:
    """Cut into ranges of rows; reads the header only. Raises InvalidRequest for a file that is not NPY."""
    shape, dtype, offset = _header(source)
    rows, row_bytes = shape[0], math.prod(shape[1:]) * dtype.itemsize
    expected = offset + rows * row_bytes
    if source.size_bytes != expected:
        raise _wrong(f"{source.size_bytes:,} bytes", f"{expected:,} for {dtype} of shape {list(shape)}")
    if rows and not row_bytes:
        raise _wrong(f"{rows:,} rows of no bytes", "rows that hold something")
    count = cuts.shard_count(rows * row_bytes, shard_bytes)
    return Plan(cuts.even(0, rows, count), {"dtype": dtype.str, "shape": list(shape), "offset": offset})


def _header(source: Source) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    if source.size_bytes == 0:
        raise _wrong("an empty file", "an array as numpy.save writes it")
    head = io.BytesIO(source.read(0, min(MAX_HEADER_BYTES, source.size_bytes)))
    try:
        version = np.lib.format.read_magic(head)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(head) if version in ((1, 0), (2, 0)) else ((), False, np.dtype("V"))
    except Exception as error:  # NumPy evaluates it as Python, which raises many classes
        raise _wrong("no readable header", f"an array as numpy.save writes it ({error!s:.200})") from None
    if version not in ((1, 0), (2, 0)):
        raise _wrong(f"version {version[0]}.{version[1]}", "1.0 or 2.0: an array without named fields")
    if dtype.hasobject:
        raise _wrong("Python objects", "numbers or strings: unpickling would run whatever the file says")
    if dtype.names is not None or dtype.subdtype is not None or dtype.kind not in "biufUS":
        raise _wrong(f"{dtype}", "an array of numbers or strings")
    if is_fortran:
        raise _wrong("Fortran order", "rows one after the other: save numpy.ascontiguousarray(…)")
    if not shape:
        raise _wrong("a single value", "rows on axis 0")
    if min(shape) < 0 or math.prod(max(size, 1) for size in shape) >= MAX_VALUES:
        raise _wrong("a shape that no array has", "an array as numpy.save writes it")
    return shape, dtype, head.tell()


class NpyReader:
    def __init__(self, layout: dict[str, Any], options: Options, signature: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for a model with several inputs, and for an array that does not fit the input."""
        for name in ("columns", "exclude", "join"):
            if getattr(options, name):
                raise InvalidRequest(f"{name}: got it for NPY, expected a format that has fields", field=name)
        self._inputs = record_inputs(signature, "NPY")
        required = [tensor.name for tensor in self._inputs.required]
        if self._inputs.single is None:
            raise _wrong("one array", f"a format with names, as the model has the inputs {required}")
        self._tensor = self._inputs.single
        self._dtype, self._shape = np.dtype(layout["dtype"]), tuple(layout["shape"])
        self._offset: int = layout["offset"]
        check_castable(self._dtype, self._tensor, "input")
        self._record = _record_shape(self._tensor, self._shape[1:])

    def chunks(self, source: Source, start: int, end: int, batch_rows: int) -> Iterator[Chunk]:
        rows = batch_rows if self._inputs.is_batched else 1
        row_bytes = math.prod(self._shape[1:]) * self._dtype.itemsize
        block_rows, first_rows = (
            rows * max(1, size // max(1, row_bytes * rows)) for size in (BLOCK_BYTES, FIRST_BYTES)
        )
        spans = cuts.spans(start, end, block_rows, first_rows)
        ranges = [(self._offset + first * row_bytes, self._offset + last * row_bytes) for first, last in spans]
        for (first, last), block in zip(spans, read_ahead(source, ranges), strict=True):
            if len(block) != (last - first) * row_bytes:
                raise _wrong("fewer bytes than at first", "a file that does not change")
            array = np.frombuffer(block, self._dtype).reshape(last - first, *self._record)
            for row in range(0, last - first, rows):
                yield self._chunk(array[row : row + rows], first + row)

    def _chunk(self, array: Array, start: int) -> Chunk:
        array, errors = cast(array, self._tensor)
        good: Sequence[int] = range(len(array))
        if errors:
            good = [place for place in good if place not in errors]
            array = array[good]
        end, whole = start + len(array) + len(errors), not self._inputs.is_batched and bool(good)
        if whole:
            array = array.reshape(1, *self._record) if self._tensor.declared[:1] == (1,) else array[0]
        return Chunk(end, end - start, good, {self._tensor.name: array} if good else {}, errors, whole, start)


def _record_shape(tensor: RecordTensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a record. Raises InvalidRequest where rows cannot fit the input."""
    rows = [shape]
    if shape[:1] == (1,) and tensor.declared[:1] == (1,):
        rows.append(shape[1:])
    if shape == () and tensor.shape == (1,):
        rows.append((1,))
    for row in rows:
        if len(row) == len(tensor.shape) and all(
            fixed in (-1, size) for fixed, size in zip(tensor.shape, row, strict=True)
        ):
            return row
    raise _wrong(f"rows of shape {list(shape)}", f"{list(tensor.shape)} for input '{tensor.name}' (-1: any size)")


def _wrong(came: str, expected: str) -> InvalidRequest:
    return InvalidRequest(f"input: got {came}, expected {expected}", field="input")
