"""Writes Parquet: the joined columns, then one column for each output, of lists if a record has several values."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.batch.formats.columns import check_joined
from maas.batch.formats.errors_file import ErrorsFile
from maas.batch.formats.interface import Chunk, Options
from maas.batch.formats.parquet import arrow
from maas.batch.formats.parquet.parquet_reader import Carried
from maas.batch.formats.parquet.row_groups import joined
from maas.batch.formats.rows_writer import RowsWriter
from maas.batch.formats.signatures import RecordTensor, record_outputs, record_rows
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

GROUP_ROWS = 64 << 10
GROUP_BYTES = 16 << 20  # of outputs: fewer rows where records are large
FEWEST_ROWS = 1 << 10


class ParquetWriter:
    """Encodes a row group as soon as its records are there, while the model runs on the next ones.

    Row groups have a number of rows that follows from the outputs alone, wherever chunks end.
    """

    def __init__(self, layout: dict[str, Any], options: Options, outputs: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for outputs that Parquet cannot hold, and for two columns of one name."""
        tensors = record_outputs(outputs, "Parquet")
        self._columns = [RowsWriter(tensor) for tensor in tensors]
        self._kinds = dict(layout["columns"])
        self._joined: dict[str, list[Any]] = {name: [] for name in self._kinds} if options.join else {}
        check_joined(list(self._joined), [tensor.name for tensor in tensors])
        self._nulls: list[Array] = []
        self._errors = ErrorsFile()
        self._rows = self._joined_bytes = 0  # of records that are not encoded yet
        self._group_rows = _group_rows(tensors)
        self._groups: list[bytes] = []  # each a file

    @property
    def size_bytes(self) -> int:
        encoded = self._errors.size_bytes + sum(map(len, self._groups))
        return encoded + self._joined_bytes + sum(column.size_bytes for column in self._columns)

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        carried: Carried = chunk.carried
        nulls = np.zeros(chunk.rows, np.bool_)
        for place in sorted(failed):
            nulls[place] = True
            self._errors.add(carried.start + place, failed[place])
        self._nulls.append(nulls)
        good = np.flatnonzero(~nulls).tolist() if failed else None
        for column in self._columns:
            rows = record_rows(predicted[column.tensor.name], column.tensor, chunk.whole) if predicted else None
            column.add(rows, good, chunk.rows)
        for name, slices in self._joined.items():
            slices.append(carried.columns[name])
            self._joined_bytes += carried.columns[name].nbytes
        self._rows += chunk.rows
        while self._rows >= self._group_rows:
            self._encode()

    def finish(self) -> dict[str, bytes]:
        if self._rows or not self._groups:
            self._encode()
        return {"parquet": joined(self._groups)} | self._errors.files()

    def _encode(self) -> None:
        """Encode the next row group, the last one with the rows that are left."""
        rows = min(self._rows, self._group_rows)
        nulls = np.concatenate([np.zeros(0, np.bool_), *self._nulls])
        self._nulls = [nulls[rows:]]
        failed = nulls[:rows] if nulls[:rows].any() else None
        columns = []
        for name, slices in self._joined.items():
            first, left = arrow.cut(slices or [arrow.empty(self._kinds[name])], rows)
            columns.append((name, first))
            self._joined[name] = [left]
        outputs = [arrow.Rows(column.tensor.name, column.take(rows), failed) for column in self._columns]
        self._groups.append(arrow.table(columns, outputs))
        self._joined_bytes -= self._joined_bytes * rows // max(self._rows, 1)
        self._rows -= rows


def _group_rows(outputs: Sequence[RecordTensor]) -> int:
    row_bytes = sum(one.dtype.itemsize * math.prod(max(size, 1) for size in one.shape) for one in outputs)
    return max(FEWEST_ROWS, min(GROUP_ROWS, GROUP_BYTES // max(row_bytes, 1)))
