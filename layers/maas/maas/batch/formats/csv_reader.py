"""CSV to chunks: a record a line, its columns the inputs by name or, in order, the one 2-D input."""

import csv
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from maas.batch.formats.blocks import stream, unpacked
from maas.batch.formats.columns import Chosen, choose
from maas.batch.formats.interface import Array, Chunk, Options, Source
from maas.batch.formats.lines import MAX_LINE_BYTES, Line, Lines, TooLong
from maas.batch.formats.signatures import record_inputs
from maas.batch.formats.stacking import stacked
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.strings import array_of

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class CsvRecord(NamedTuple):
    """`text` is the record as it came, None where it is none; `cells` only where it has quotes, or they are wanted."""

    text: str | None
    cells: list[str] | None = None
    error: str = ""


class CsvReader:
    def __init__(
        self, layout: dict[str, Any], options: Options, signature: Sequence[MetadataTensor], *, packed: bool = False
    ) -> None:
        """Raises InvalidRequest for columns that can never be the model's inputs."""
        self._inputs = record_inputs(signature, "CSV")
        self._names: list[str] = layout["header"]
        self._packed = packed
        self._chosen = choose(self._names, options, self._inputs) if self._names else []
        self._has_words = any(one.tensor.datatype in ("BYTES", "BOOL") for one in self._chosen)

    def chunks(self, source: Source, start: int, end: int, batch_rows: int) -> Iterator[Chunk]:
        blocks = unpacked(source, start) if self._packed else stream(source, start, end)
        lines = Lines(blocks, start, end, quoted=True)
        rows = batch_rows if self._inputs.is_batched else 1
        while True:
            found, ends = lines.take(rows)
            if not found:
                return
            yield self._chunk([self._record(line) for line in found], min(ends[-1], end))

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
        arrays = {}
        for one in self._chosen:
            values = _values(one, records) if len(records) > 1 else self._value(one, records)
            shape = (len(one.places) if size == -1 else size for size in one.tensor.shape)
            array = values.reshape(len(records), *shape)
            is_full = self._inputs.is_batched or one.tensor.declared[:1] == (1,)
            arrays[one.tensor.name] = array if is_full else array[0]
        return arrays

    def _value(self, one: Chosen, records: list[CsvRecord]) -> Array:
        """Of a single record, so that what is wrong can be told."""
        try:
            return _values(one, records)
        except InvalidRequest:
            cells = _cells(records[0])
            for place in one.places:
                alone = Chosen(one.tensor, (place,), one.is_named)
                try:
                    _values(alone, records)
                except InvalidRequest:
                    came, expected = f"'{cells[place]:.80}'", f"{one.tensor.datatype} values"
                    raise InvalidRequest(f"column '{self._names[place]}': got {came}, expected {expected}") from None
            raise


def _values(one: Chosen, records: list[CsvRecord]) -> Array:
    """All values of the input, flat. Raises InvalidRequest if any is none."""
    datatype = one.tensor.datatype
    if datatype == "BYTES":
        return array_of([cells[place] for cells in map(_cells, records) for place in one.places])
    if datatype == "BOOL":
        words = [_BOOLEANS.get(cells[place].strip().lower()) for cells in map(_cells, records) for place in one.places]
        if None in words:
            raise InvalidRequest("record: got other words, expected true or false")
        return np.array(words, np.bool_)
    kind = one.tensor.dtype.kind
    parsed = _numbers(one, records, np.dtype({"f": np.float64, "i": np.int64, "u": np.uint64}[kind]))
    with np.errstate(over="ignore"):
        values = parsed.astype(one.tensor.dtype, copy=False)
    if kind == "f":
        if np.isinf(values).any():
            _check_infinite(one, records, values)
    elif (values != parsed).any():
        raise InvalidRequest(f"record: got a number out of range, expected {datatype} values")
    return values


def _numbers(one: Chosen, records: list[CsvRecord], dtype: np.dtype[Any]) -> Array:
    """(records, columns), all read by NumPy's C code, which makes the same of a record alone as among others."""
    columns: Sequence[int] = one.places
    if any(record.cells is not None for record in records):
        rows, columns = [_row(_cells(record), one.places) for record in records], range(len(one.places))
    else:
        rows = [record.text or "" for record in records]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a fraction for an integer is only warned of
            found = np.loadtxt(rows, dtype, delimiter=",", comments=None, usecols=columns, ndmin=2)
    except (ValueError, OverflowError, Warning):
        found = np.empty((0, 0))
    if len(found) != len(records):  # or a line was taken for an empty one
        raise InvalidRequest("record: got other text, expected numbers")
    return found


def _row(cells: list[str], places: Sequence[int]) -> str:
    wanted = [cells[place] for place in places]
    if any("," in cell or "\n" in cell or "\r" in cell for cell in wanted):
        raise InvalidRequest("record: got other text, expected numbers")
    return ",".join(wanted)


def _check_infinite(one: Chosen, records: list[CsvRecord], values: Array) -> None:
    """Raises InvalidRequest unless infinity is what the text says: 1e999 is an overflow."""
    for row, column in np.argwhere(np.isinf(values)):
        if any(map(str.isdigit, _cells(records[row])[one.places[column]])):
            raise InvalidRequest(f"record: got a number out of range, expected {one.tensor.datatype} values")


def _cells(record: CsvRecord) -> list[str]:
    return record.cells if record.cells is not None else (record.text or "").split(",")
