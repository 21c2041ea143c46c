"""Reads Parquet: a row is a record; its columns are the inputs by name, or in order the one 2-D input."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from maas.batch.formats import cuts
from maas.batch.formats.blocks import ahead
from maas.batch.formats.casting import cast, check_castable
from maas.batch.formats.columns import Chosen, choose
from maas.batch.formats.interface import Chunk, Options, Plan, Source
from maas.batch.formats.parquet import arrow
from maas.batch.formats.parquet.parquet_file import MAGIC, Footer, check, index_columns, read_footer, wrong
from maas.batch.formats.signatures import record_inputs
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

BLOCK_ROWS = 16 << 10  # decoded at once, in less time than the model takes for a batch
MAX_LAYOUT_BYTES = 48 << 10
LIST = "list:"


def plan(source: Source, shard_bytes: int) -> Plan:
    """Ranges of rows: joins row groups up to the size of a shard, splits larger ones. Reads only the footer."""
    footer = read_footer(source)
    check(footer, source)
    if source.read(0, len(MAGIC)) != MAGIC:
        raise wrong("a beginning that is not Parquet's", "a whole file")
    types = arrow.types(footer.without_rows())
    index = index_columns(footer, [name for name, _ in types])
    if sum(len(name.encode()) + 20 for name in (*(name for name, _ in types), *index)) > MAX_LAYOUT_BYTES:
        raise wrong(f"{len(types):,} columns", f"names of at most {MAX_LAYOUT_BYTES:,} bytes")
    borders = footer.borders
    least = sum(map(footer.group_bytes, range(len(footer.groups)))) // cuts.MAX_SHARDS
    layout = {"columns": [list(one) for one in types], "index": index}
    return Plan(list(_shards(footer, borders, max(shard_bytes, least, 1))), layout)


def _shards(footer: Footer, borders: list[int], shard_bytes: int) -> Iterator[tuple[int, int]]:
    start = size_bytes = 0
    for index, (first, end) in enumerate(pairwise(borders)):
        group_bytes = footer.group_bytes(index)
        if start < first and size_bytes + group_bytes > shard_bytes:
            yield start, first
            start, size_bytes = first, 0
        size_bytes += group_bytes
        if size_bytes > shard_bytes:
            yield from cuts.even(start, end, -(-size_bytes // shard_bytes))
            start, size_bytes = end, 0
    if start < borders[-1]:
        yield start, borders[-1]


@dataclass(frozen=True, slots=True)
class Carried:
    """The index of the first record in the file, and the columns to join, by name."""

    start: int
    columns: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An input of a block of records: (records, *record), or flat values with offsets where lengths vary."""

    name: str
    values: Array
    offsets: Array | None = None


class ParquetReader:
    def __init__(self, layout: dict[str, Any], options: Options, signature: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for columns that cannot be the model's inputs."""
        columns: list[tuple[str, str]] = layout["columns"]
        self._names = [name for name, _ in columns]
        types = dict(columns)
        self._inputs = record_inputs(signature, "Parquet")
        lists = {name for name, kind in types.items() if kind.startswith(LIST)}
        self._chosen = choose(self._names, options, self._inputs, layout["index"], lists)
        for one in self._chosen:
            for place in one.places:
                self._check(one, self._names[place], types[self._names[place]])
        self._joined = self._names if options.join else []
        self._wanted = {*self._joined, *(self._names[place] for one in self._chosen for place in one.places)}

    def _check(self, one: Chosen, name: str, kind: str) -> None:
        where, shape = f"column '{name}'", list(one.tensor.shape)
        is_list = kind.startswith(LIST)
        if kind.startswith(arrow.OTHER) or not kind:  # "" in layouts of an earlier release
            came = kind.removeprefix(arrow.OTHER) or "a type that no input has"
            expected = f"numbers, booleans or text for input '{one.tensor.name}' {shape}: cast it, decimals to double"
            raise InvalidRequest(f"{where}: got {came}, expected {expected}")
        if (is_list and (not one.is_named or len(shape) != 1)) or (
            not is_list and shape not in ([], [1]) and one.is_named
        ):
            came = f"{kind.removeprefix(LIST)} in lists" if is_list else kind
            raise InvalidRequest(f"{where}: got {came}, expected values for input '{one.tensor.name}' {shape}")
        check_castable(np.dtype(kind.removeprefix(LIST)), one.tensor, where)

    def chunks(self, source: Source, start: int, end: int, batch_rows: int) -> Iterator[Chunk]:
        """Chunks end at multiples of `batch_rows` from the beginning of their row group, and at its end."""
        footer = read_footer(source)
        borders = footer.borders
        rows = batch_rows if self._inputs.is_batched else 1
        groups = [index for index in range(len(borders) - 1) if borders[index] < end and borders[index + 1] > start]
        files = ahead([partial(footer.group_file, source, index, self._wanted) for index in groups])
        for index, file in zip(groups, files, strict=True):
            row = borders[index]
            for batch in arrow.batches(file, rows * max(1, BLOCK_ROWS // rows)):
                if row + batch.num_rows > start and row < end:
                    yield from self._chunks(batch, row, rows, max(start - row, 0), min(end - row, batch.num_rows))
                row += batch.num_rows

    def _chunks(self, batch: Any, row: int, rows: int, first: int, last: int) -> Iterator[Chunk]:
        """The chunks of records [first, last) of a batch that begins at `row` of the file."""
        errors: dict[int, str] = {}
        inputs = [self._prepared(one, batch, errors) for one in self._chosen]
        lengths = [np.diff(one.offsets) for one in inputs if one.offsets is not None]
        while first < last:
            end = min(last, (first // rows + 1) * rows)
            places = range(first, end)
            if errors or lengths:
                good = [place for place in places if place not in errors]
                for sizes in lengths:
                    end = next((place for place in good if sizes[place] != sizes[good[0]] and place < end), end)
                places, kept = range(first, end), [place for place in good if place < end]
            else:
                kept = places  # type: ignore[assignment]
            told = {place - first: errors[place] for place in places if place in errors} if errors else {}
            arrays = {one.name: _taken(one, kept) for one in inputs} if kept else {}
            whole = not self._inputs.is_batched and bool(kept)
            carried = Carried(
                row + first, {name: batch.column(name).slice(first, end - first) for name in self._joined}
            )
            relative = range(end - first) if len(kept) == end - first else [place - first for place in kept]
            yield Chunk(row + end, end - first, relative, self._shaped(arrays), told, whole, carried)
            first = end

    def _shaped(self, arrays: dict[str, Array]) -> dict[str, Array]:
        if self._inputs.is_batched:
            return arrays
        declared = {one.tensor.name: one.tensor.declared for one in self._chosen}
        return {name: array if declared[name][:1] == (1,) else array[0] for name, array in arrays.items()}

    def _prepared(self, one: Chosen, batch: Any, errors: dict[int, str]) -> _Prepared:
        """An input of a batch; adds messages by record to `errors`."""
        tensor, columns = one.tensor, []
        for place in one.places:
            found = arrow.column(batch.column(self._names[place]))
            if found.nulls is not None:
                missing = ", NaN for one that is missing" if tensor.dtype.kind == "f" else ""
                said = f"column '{self._names[place]}': got null, expected {tensor.datatype} values{missing}"
                errors.update({int(record): said for record in np.flatnonzero(found.nulls)})
            values, wrong_values = cast(found.values, tensor)
            for value, said in wrong_values.items():
                record = value if found.offsets is None else int(np.searchsorted(found.offsets, value, "right")) - 1
                errors[record] = said
            if found.offsets is not None:
                return _lists(one, values, found.offsets, errors)
            columns.append(values)
        shape = (len(columns) if size == -1 else size for size in tensor.shape)
        # Twice as fast as np.stack(columns, axis=1), which writes each value into another cache line.
        values = columns[0] if len(columns) == 1 else np.ascontiguousarray(np.stack(columns).T)
        return _Prepared(tensor.name, values.reshape(len(values), *shape))


def _lists(one: Chosen, values: Array, offsets: Array, errors: dict[int, str]) -> _Prepared:
    wanted = one.tensor.shape[0]
    if wanted == -1:
        return _Prepared(one.tensor.name, values, offsets)
    sizes = np.diff(offsets)
    odd = np.flatnonzero(sizes != wanted)
    if not len(odd):
        return _Prepared(one.tensor.name, values.reshape(len(sizes), wanted))
    for record in odd.tolist():
        came = f"{sizes[record]} values"
        errors.setdefault(record, f"inputs[{one.tensor.name}].shape: got {came}, expected {wanted}")
    return _Prepared(one.tensor.name, values, offsets)


def _taken(one: _Prepared, places: Sequence[int]) -> Array:
    """The values of these records, which have one length."""
    first, last = places[0], places[-1] + 1
    is_run = len(places) == last - first
    if one.offsets is None:
        return one.values[first:last] if is_run else one.values[list(places)]
    size = int(one.offsets[first + 1] - one.offsets[first])
    if is_run:
        return one.values[one.offsets[first] : one.offsets[last]].reshape(len(places), size)
    taken: Array = one.values[np.asarray(one.offsets)[list(places)][:, np.newaxis] + np.arange(size)]
    return taken
