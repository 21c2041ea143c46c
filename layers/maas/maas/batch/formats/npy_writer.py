"""Chunks to NPY: an array an output, a row a record; where one failed, NaN, 0, False or no text."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.batch.formats.errors_file import ErrorsFile
from maas.batch.formats.interface import Array, Chunk, Options
from maas.batch.formats.signatures import RecordTensor, record_outputs, record_rows
from maas.errors import InvalidRequest
from maas.records import MetadataTensor

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


class NpyWriter:
    def __init__(self, options: Options, outputs: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for outputs that NumPy has no dtype for."""
        self._columns = [_Column(tensor) for tensor in record_outputs(outputs, "NPY")]
        self._errors = ErrorsFile()

    @property
    def size_bytes(self) -> int:
        return self._errors.size_bytes + sum(column.size_bytes for column in self._columns)

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        for place in sorted(failed):
            self._errors.add(chunk.carried + place, failed[place])
        good = [place for place in range(chunk.rows) if place not in failed] if failed else None
        for column in self._columns:
            rows = record_rows(predicted[column.tensor.name], column.tensor, chunk.whole) if predicted else None
            column.add(rows, good, chunk.rows)

    def finish(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for index, column in enumerate(self._columns):
            name = _NOT_IN_NAMES.sub("_", column.tensor.name)
            files[f"{name}_{index}.npy" if f"{name}.npy" in files else f"{name}.npy"] = column.file()
        return files | self._errors.files()


class _Column:
    def __init__(self, tensor: RecordTensor) -> None:
        self.tensor = tensor
        self.size_bytes = 0
        self._parts: list[Array | int] = []  # or how many rows failed
        self._shape: tuple[int, ...] | None = None

    def add(self, rows: Array | None, good: list[int] | None, count: int) -> None:
        """`rows` of the records at the places `good`, all if None; of none of `count` if None itself."""
        if rows is None:
            self._parts.append(count)
            return
        if self._shape not in (None, rows.shape[1:]):
            came = f"records of shapes {list(self._shape or ())} and {list(rows.shape[1:])}"
            expected = "one shape, or JSONL for the input"
            raise InvalidRequest(f"output '{self.tensor.name}': got {came}, expected {expected}", field="output")
        self._shape = rows.shape[1:]
        if good is not None:
            padded = self._empty(count)
            padded[good] = rows
            rows = padded
        self._parts.append(rows)
        self.size_bytes += rows.nbytes

    def file(self) -> bytes:
        if self._shape is None:
            self._shape = tuple(max(size, 0) for size in self.tensor.shape)
        parts = [self._empty(part) if isinstance(part, int) else part for part in self._parts] or [self._empty(0)]
        array = np.concatenate(parts)
        if array.dtype.hasobject:
            array = array.astype(np.str_)
        file = io.BytesIO()
        np.lib.format.write_array(file, array, allow_pickle=False)
        return file.getvalue()

    def _empty(self, rows: int) -> Array:
        dtype: np.dtype[Any] = self.tensor.dtype
        nothing: Any = {"f": np.nan, "O": ""}.get(dtype.kind, 0)
        return np.full((rows, *(self._shape or ())), nothing, dtype)
