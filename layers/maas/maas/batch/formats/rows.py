"""Outputs of many chunks as one array, with room for the records that failed."""

from typing import Any

import numpy as np

from maas.batch.formats.interface import Array
from maas.batch.formats.signatures import RecordTensor
from maas.errors import InvalidRequest


class RowsWriter:
    """(records, *record): where a record failed, NaN, 0, False or no text."""

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

    def array(self) -> Array:
        if self._shape is None:
            self._shape = tuple(max(size, 0) for size in self.tensor.shape)
        parts = [self._empty(part) if isinstance(part, int) else part for part in self._parts]
        return np.concatenate(parts or [self._empty(0)])

    def _empty(self, rows: int) -> Array:
        dtype: np.dtype[Any] = self.tensor.dtype
        nothing: Any = {"f": np.nan, "O": ""}.get(dtype.kind, 0)
        return np.full((rows, *(self._shape or ())), nothing, dtype)
