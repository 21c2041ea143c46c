"""Reads CSV: a line is a record; its columns are the inputs by name, or in order the one 2-D input."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from maas.batch.formats import cuts
from maas.batch.formats.blocks import stream, unpacked
from maas.batch.formats.columns import Chosen, choose, unnamed
from maas.batch.formats.interface import Chunk, Options, Source
from maas.batch.formats.signatures import record_inputs
from maas.batch.formats.stacking import stacked
from maas.batch.formats.text.lines import MAX_LINE_BYTES, Lines
from maas.batch.formats.text.taken import Line, Taken, TooLong, Unread
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.csv_values import boolean, converted, expected_cell, is_number, numbers, rows_of_numbers
from maas.serving.datatypes import Array
from maas.serving.strings import array_of

FEWEST_LINES = 16  # that are worth being read at once
csv.field_size_limit(MAX_LINE_BYTES)  # the default is 131,072 characters a cell

Rows = Sequence[str | list[str]]  # records as text, or as lists of cells


class CsvRecord(NamedTuple):
    """`text` is the record as read, None if unreadable; `cells` are set where it has quotes or inputs need them."""

    text: str | None
    cells: list[str] | None = None
    error: str = ""


class CsvReader:
    def __init__(
        self, layout: dict[str, Any], options: Options, signature: Sequence[MetadataTensor], *, packed: bool = False
    ) -> None:
        """Raises InvalidRequest for columns that cannot be the model's inputs."""
        self._inputs = record_inputs(signature, "CSV")
        self._names: list[str] = layout["header"]
        self._packed = packed
        _check_header(self._names, options)
        self._chosen = choose(self._names, options, self._inputs, unnamed(self._names)) if self._names else []
        # All columns in order are one input: records need not be split into cells.
        self._has_all = [one.places for one in self._chosen] == [tuple(range(len(self._names)))]
        self._has_words = any(one.tensor.datatype in ("BYTES", "BOOL") for one in self._chosen)
        # Lines of numbers alone are read at once. Integers lose digits beside fractions, so they have to be all.
        kinds = {one.tensor.dtype.kind for one in self._chosen}
        self._are_numbers = self._inputs.is_batched and (kinds == {"f"} or (self._has_all and not self._has_words))

    def chunks(self, source: Source, start: int, end: int, batch_rows: int) -> Iterator[Chunk]:
        blocks = unpacked(source, start) if self._packed else stream(source, start, end)
        lines = Lines(blocks, start, end, quoted=True)
        for rows in cuts.growing(batch_rows if self._inputs.is_batched else 1):
            taken = lines.take(rows)
            if not taken:
                return
            taken_end = min(taken.ends[-1], end)
            yield self._at_once(taken, taken_end) or self._chunk(self._records(taken), taken_end)

    def _at_once(self, taken: Taken, end: int) -> Chunk | None:
        """The chunk of lines that are numbers alone; None otherwise."""
        count, width = len(taken), len(self._names)
        text = taken.text if self._are_numbers and count >= FEWEST_LINES else None
        are_fractions = all(one.tensor.dtype.kind == "f" for one in self._chosen)
        read = None if text is None else rows_of_numbers(text, count, width, are_fractions=are_fractions)
        if read is None:
            return None
        arrays = {}
        try:
            for one in self._chosen:
                values = converted(read if self._has_all else read.take(one.places, axis=1), one.tensor.dtype)
                arrays[one.tensor.name] = values.reshape(self._shape(one, count))
        except InvalidRequest:
            return None
        return Chunk(end, count, range(count), arrays, {}, carried=Unread(taken, self._records))

    def _shape(self, one: Chosen, records: int) -> tuple[int, ...]:
        return (records, *(len(one.places) if size == -1 else size for size in one.tensor.shape))

    def _records(self, taken: Taken) -> list[CsvRecord]:
        return list(map(self._record, taken.lines))

    def _record(self, line: Line) -> CsvRecord:
        if isinstance(line, TooLong):
            return CsvRecord(None, error=f"record: got {line.size_bytes:,} bytes, expected at most {MAX_LINE_BYTES:,}")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return CsvRecord(None, error="record: got bytes that are not UTF-8, expected text")
        text = text.removesuffix("\r")
        if '"' in text:
            try:
                cells: list[str] | None = next(csv.reader([text], strict=True))
            except csv.Error as error:
                return CsvRecord(None, error=f"record: got quotes out of place ({error})")
            width = len(cells or ())
        else:
            cells = text.split(",") if self._has_words else None
            width = text.count(",") + 1
        if width != len(self._names):
            return CsvRecord(None, error=f"record: got {width} values, expected {len(self._names)}, as in the header")
        return CsvRecord(text, cells)

    def _chunk(self, records: list[CsvRecord], end: int) -> Chunk:
        refused = {place: record.error for place, record in enumerate(records) if record.error}
        places = [place for place in range(len(records)) if place not in refused] if refused else range(len(records))
        good, inputs, errors = stacked(places, lambda some: self._arrays([records[place] for place in some]))
        whole = bool(good) and not self._inputs.is_batched
        return Chunk(end, len(records), good, inputs, refused | errors, whole, records)

    def _arrays(self, records: list[CsvRecord]) -> dict[str, Array]:
        if self._has_all:
            rows: Rows = [record.text or "" for record in records]
            if any(record.cells is not None for record in records):
                rows = [_cells(record) for record in records]
        else:
            rows = [_cells(record) for record in records]
        arrays = {}
        for one in self._chosen:
            values = _values(one, rows) if len(rows) > 1 else self._value(one, rows)
            array = values.reshape(self._shape(one, len(records)))
            is_full = self._inputs.is_batched or one.tensor.declared[:1] == (1,)
            arrays[one.tensor.name] = array if is_full else array[0]
        return arrays

    def _value(self, one: Chosen, rows: Rows) -> Array:
        """The values of a single record; an error names the column."""
        try:
            return _values(one, rows)
        except InvalidRequest:
            cells = _split(rows[0])
            for place in one.places:
                try:
                    _values(Chosen(one.tensor, (place,), one.is_named), [cells])
                except InvalidRequest:
                    came, expected = f"'{cells[place]:.80}'", expected_cell(cells[place], one.tensor.datatype)
                    raise InvalidRequest(f"column '{self._names[place]}': got {came}, expected {expected}") from None
            raise


def _check_header(names: Sequence[str], options: Options) -> None:
    """Raises InvalidRequest for a header of numbers, which is a record of a file without a header.

    pandas numbers columns without names from 0.
    """
    is_named = options.columns is not None or options.exclude is not None
    if names and not is_named and all(map(is_number, names)) and names != [str(place) for place in range(len(names))]:
        came = f"{names[:3]!s:.100}, numbers only"
        expected = "the names of columns: add a header, or say with columns that these are names"
        raise InvalidRequest(f"header: got {came}, expected {expected}", field="header")


def _values(one: Chosen, rows: Rows) -> Array:
    """All values of the input, flat. Raises InvalidRequest if a cell is not of the datatype."""
    datatype = one.tensor.datatype
    if datatype == "BYTES":
        return array_of([cells[place] for cells in map(_split, rows) for place in one.places])
    if datatype == "BOOL":
        words = [boolean(cells[place]) for cells in map(_split, rows) for place in one.places]
        if None in words:
            raise InvalidRequest("record: got other words, expected true or false")
        return np.array(words, np.bool_)
    return numbers(_texts(one, rows), len(rows) * len(one.places), one.tensor.dtype)


def _texts(one: Chosen, rows: Rows) -> Sequence[str]:
    """The texts of the input's cells: whole records, or one text for each cell."""
    if not isinstance(rows[0], list):
        return rows  # type: ignore[return-value]
    cells = [cells[place] for cells in rows for place in one.places]
    if any("," in cell or "\n" in cell or "\r" in cell for cell in cells):
        raise InvalidRequest("record: got other text, expected numbers")
    return cells


def _split(row: str | list[str]) -> list[str]:
    return row if isinstance(row, list) else row.split(",")


def _cells(record: CsvRecord) -> list[str]:
    return record.cells if record.cells is not None else _split(record.text or "")
