"""Writes NPY: one array for each output, one row for each record; NaN, 0, False or "" where a record failed."""

import io
import re
from collections.abc import Mapping, Sequence

import numpy as np

from maas.batch.formats.errors_file import ErrorsFile
from maas.batch.formats.interface import Chunk, Options
from maas.batch.formats.rows_writer import RowsWriter
from maas.batch.formats.signatures import record_outputs, record_rows
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

MAX_TEXT_BYTES = 512 << 20  # reached only by one long string among many short ones
LONGEST_NAME = 100
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


class NpyWriter:
    def __init__(self, options: Options, outputs: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for outputs without a NumPy dtype."""
        self._columns = [RowsWriter(tensor) for tensor in record_outputs(outputs, "NPY")]
        self._errors = ErrorsFile()

    @property
    def size_bytes(self) -> int:
        return self._errors.size_bytes + sum(column.fixed_bytes for column in self._columns)

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        for place in sorted(failed):
            self._errors.add(chunk.carried + place, failed[place])
        good = [place for place in range(chunk.rows) if place not in failed] if failed else None
        for column in self._columns:
            rows = record_rows(predicted[column.tensor.name], column.tensor, chunk.whole) if predicted else None
            column.add(rows, good, chunk.rows)
            if column.tensor.dtype.hasobject and column.fixed_bytes > MAX_TEXT_BYTES:
                came = f"texts of {column.fixed_bytes:,} bytes, all as wide as the longest"
                expected = f"at most {MAX_TEXT_BYTES:,} in a part, or JSONL for the input"
                raise InvalidRequest(f"output '{column.tensor.name}': got {came}, expected {expected}", field="output")

    def finish(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        names = file_names([column.tensor.name for column in self._columns])
        for name, column in zip(names, self._columns, strict=True):
            files[name] = _file(column.array())
        return files | self._errors.files()


def file_names(outputs: Sequence[str]) -> list[str]:
    """A file's name for each output, which every file system takes; they differ also where case does not count."""
    taken: set[str] = set()
    found = []
    for index, output in enumerate(outputs):
        name = _NOT_IN_NAMES.sub("_", output)[:LONGEST_NAME]
        while name.lower() in taken:
            name = f"{name}_{index}"
        taken.add(name.lower())
        found.append(f"{name}.npy")
    return found


def _file(array: Array) -> bytes:
    """Strings get a fixed width, because NPY holds others only as pickled objects."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array.astype(np.str_) if array.dtype.hasobject else array, allow_pickle=False)
    return file.getvalue()
