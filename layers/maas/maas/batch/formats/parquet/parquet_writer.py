"""Writes Parquet: the joined columns, then one column for each output, of lists if a record has several values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.batch.formats.columns import check_joined
from maas.batch.formats.errors_file import ErrorsFile
from maas.batch.formats.interface import Array, Chunk, Options
from maas.batch.formats.parquet import arrow
from maas.batch.formats.parquet.parquet_reader import Carried
from maas.batch.formats.rows_writer import RowsWriter
from maas.batch.formats.signatures import record_outputs, record_rows
from maas.records import MetadataTensor


class ParquetWriter:
    def __init__(self, layout: dict[str, Any], options: Options, outputs: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for outputs that Parquet cannot hold, and for two columns of one name."""
        tensors = record_outputs(outputs, "Parquet")
        self._columns = [RowsWriter(tensor) for tensor in tensors]
        self._kinds = dict(layout["columns"])
        self._joined: dict[str, list[Any]] = {name: [] for name in self._kinds} if options.join else {}
        check_joined(list(self._joined), [tensor.name for tensor in tensors])
        self._nulls: list[Array] = []
        self._errors = ErrorsFile()
        self._joined_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._errors.size_bytes + self._joined_bytes + sum(column.size_bytes for column in self._columns)

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

    def finish(self) -> dict[str, bytes]:
        nulls = np.concatenate([np.zeros(0, np.bool_), *self._nulls])
        failed = nulls if nulls.any() else None
        joined = [(name, slices or [arrow.empty(self._kinds[name])]) for name, slices in self._joined.items()]
        outputs = [arrow.Rows(column.tensor.name, column.array(), failed) for column in self._columns]
        return {"parquet": arrow.table(joined, outputs)} | self._errors.files()
