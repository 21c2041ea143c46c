"""Collects an output of many chunks in one array, with rows for the records that failed."""

import math
from typing import Any

import numpy as np

from maas.batch.formats.signatures import RecordTensor
from maas.errors import InvalidRequest
from maas.serving.datatypes import Array


class RowsWriter:
    """(records, *record), with NaN, 0, False or "" where a record failed."""

    def __init__(self, tensor: RecordTensor) -> None:
        self.tensor = tensor
        self._rows = self._characters = self._longest = 0
        self._parts: list[Array | int] = []  # an integer stands for so many failed records
        self._shape: tuple[int, ...] | None = None

    def add(self, rows: Array | None, good: list[int] | None, count: int) -> None:
        """Add `count` records: `rows` belong to the places `good`, or to all if None. `rows` None: all failed."""
        self._rows += count
        if rows is None:
            self._parts.append(count)
            return
        if self._shape not in (None, rows.shape[1:]):
            raise self._wrong(f"records of shapes {list(self._shape or ())} and {list(rows.shape[1:])}")
        texts = rows.ravel().tolist() if rows.dtype.hasobject else []
        if not all(isinstance(text, str) for text in texts):  # arrays, which are only stacked where their shapes agree
            raise self._wrong("records of several shapes")
        self._shape = rows.shape[1:]
        if good is not None:
            padded = self._empty(count)
            padded[good] = rows
            rows = padded
        self._parts.append(rows)
        self._characters += sum(map(len, texts))
        self._longest = max(self._longest, max(map(len, texts), default=0))

    @property
    def size_bytes(self) -> int:
        """Size of the array with the failed records, strings at their own lengths."""
        return self._values * self.tensor.dtype.itemsize + self._characters

    @property
    def fixed_bytes(self) -> int:
        """Size of the array with all strings as wide as the longest."""
        is_text = self.tensor.dtype.hasobject
        return self._values * self._longest * np.dtype("U1").itemsize if is_text else self.size_bytes

    @property
    def _values(self) -> int:
        return self._rows * math.prod(self._record)

    @property
    def _record(self) -> tuple[int, ...]:
        """The shape of a record; the declared one, with 0 for any size, while all failed."""
        return self._shape if self._shape is not None else tuple(max(size, 0) for size in self.tensor.shape)

    def array(self) -> Array:
        parts = [self._empty(part) if isinstance(part, int) else part for part in self._parts]
        return np.concatenate(parts or [self._empty(0)])

    def take(self, count: int) -> Array:
        """Remove the first `count` records, or all if there are fewer, and return them."""
        array = self.array()
        taken, left = array[:count], array[count:]
        self._rows = len(left)
        self._parts = [len(left) if self._shape is None else left]
        self._characters -= sum(map(len, taken.ravel().tolist())) if taken.dtype.hasobject else 0
        return taken

    def _wrong(self, came: str) -> InvalidRequest:
        expected = "one shape, or JSONL for the input"
        return InvalidRequest(f"output '{self.tensor.name}': got {came}, expected {expected}", field="output")

    def _empty(self, rows: int) -> Array:
        dtype: np.dtype[Any] = self.tensor.dtype
        nothing: Any = {"f": np.nan, "O": ""}.get(dtype.kind, 0)
        return np.full((rows, *self._record), nothing, dtype)
