"""Reads the footer of a Parquet file, and makes a small file of a single row group, so that little has to be read.

The fields of the footer: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import orjson

from maas.batch.formats.columns import is_index_level
from maas.batch.formats.interface import Source
from maas.batch.formats.parquet import thrift
from maas.batch.formats.parquet.thrift import I64, LIST, Struct
from maas.errors import InvalidRequest

MAGIC = b"PAR1"
TAIL_BYTES = 64 << 10  # most footers are smaller
MAX_FOOTER_BYTES = 64 << 20
MAX_GAP_BYTES = 256 << 10  # between ranges read as one: S3 sends these in less time than a request takes
VERSION, SCHEMA, ROWS, GROUPS, KEY_VALUES = 1, 2, 3, 4, 5  # field numbers in FileMetaData
WANTED = (VERSION, SCHEMA, ROWS, GROUPS, KEY_VALUES)
COLUMNS = 1  # in RowGroup
PAGES, DICTIONARY, INDEX = 9, 11, 10  # in ColumnMetaData: the offsets of the pages


@dataclass(frozen=True, slots=True)
class Footer:
    """`metadata` has only the offset in `data` of a row group's columns: all together may be a million."""

    data: bytes
    metadata: Struct

    @property
    def groups(self) -> list[Struct]:
        found: list[Struct] = self.metadata[GROUPS][1][1]
        return found

    @property
    def borders(self) -> list[int]:
        """The first row of each row group, and the number of all rows at the end."""
        return list(accumulate((_get(group, 3) for group in self.groups), initial=0))

    def group_bytes(self, index: int) -> int:
        """The decompressed size that the file declares."""
        return max(int(_get(self.groups[index], 2)), 1)

    def without_rows(self) -> bytes:
        """A file with the same columns and no rows."""
        return _file(self.metadata, [MAGIC], [], 0, None)

    def group_ranges(self, index: int, columns: Collection[str] | None) -> list[tuple[Struct, int, int]]:
        """The column chunks of a row group, for the wanted columns (None: all), with the byte range of each."""
        ranges = []
        kind, place = self.groups[index][COLUMNS]
        if kind != LIST:
            raise thrift.NotThrift("columns that are no list")
        for chunk in thrift.Decoder(self.data, place).items()[1]:
            column = _get(chunk, 3)
            if columns is None or _get(column, 3)[1][0].decode("utf-8", "replace") in columns:
                start = min(offset for offset in (_get(column, PAGES), column.get(DICTIONARY, (0, 0))[1]) if offset > 0)
                ranges.append((column, start, start + _get(column, 7)))
        return ranges

    def group_file(self, source: Source, index: int, columns: Collection[str] | None) -> bytes:
        """A file of one row group with the wanted columns. Raises InvalidRequest for offsets outside the source."""
        with _whole():
            ranges = self.group_ranges(index, columns)
        if not all(0 < start < end <= source.size_bytes for _, start, end in ranges):
            raise wrong("a column beyond its end", "a whole file")
        firsts, moved, body, size = [], [], [MAGIC], len(MAGIC)
        for first, last in _together([(start, end) for _, start, end in ranges]):
            firsts.append(first)
            moved.append(size - first)
            body.append(source.read(first, last))
            size += last - first
        with _whole():
            chunks: list[Struct] = [
                {2: (I64, 0), 3: (thrift.STRUCT, _moved(column, moved[bisect_right(firsts, start) - 1]))}
                for column, start, _ in ranges
            ]
            return _file(self.metadata, body, chunks, _get(self.groups[index], 3), columns)


def _together(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in the file's order, merged where at most MAX_GAP_BYTES lie between: columns are adjacent."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start - found[-1][1] <= MAX_GAP_BYTES:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


@contextmanager
def _whole() -> Iterator[None]:
    """Raises InvalidRequest where the footer lacks a field or has one of another type."""
    try:
        yield
    except (thrift.NotThrift, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise wrong(f"a footer that cannot be read ({error!s:.80})", "a whole file") from None


@lru_cache(1)  # a worker often gets several shards of one file
def read_footer(source: Source) -> Footer:
    """Raises InvalidRequest for a file that is not Parquet or is truncated; `check` examines the row groups."""
    size = source.size_bytes
    if size < 12:
        raise wrong(f"{size} bytes", "a Parquet file")
    tail = source.read(max(0, size - TAIL_BYTES), size)
    if tail[-4:] == b"PARE":
        raise wrong("an encrypted footer", "one that can be read")
    if tail[-4:] != MAGIC:
        raise wrong("an end that is not Parquet's", "a whole file: this one may be truncated")
    length = int.from_bytes(tail[-8:-4], "little")
    if length > min(size - 12, MAX_FOOTER_BYTES):
        raise wrong(f"a footer of {length:,} bytes", f"at most {min(size - 12, MAX_FOOTER_BYTES):,}")
    footer = tail[-8 - length : -8] if length + 8 <= len(tail) else source.read(size - 8 - length, size - 8)
    with _whole():
        return Footer(footer, thrift.Decoder(footer).struct((GROUPS, COLUMNS), WANTED))


def check(footer: Footer, source: Source) -> None:
    """Raises InvalidRequest where the footer contradicts itself or the file's size."""
    with _whole():
        for index in range(len(footer.groups)):
            for column, _, end in footer.group_ranges(index, None):
                if end > source.size_bytes - 8 - len(footer.data) or not _moved(column, 0):
                    raise wrong("columns beyond its end", "a whole file")
            footer.group_bytes(index)
        footer.without_rows()
        rows, borders = _get(footer.metadata, ROWS), footer.borders
        if not _get(footer.metadata, SCHEMA)[1] or borders[-1] != rows or borders != sorted(borders):
            raise wrong("row groups that do not add up", "a whole file")


def index_columns(footer: Footer, names: Sequence[str]) -> list[str]:
    """Those of the columns that pandas added as the index, by its metadata or by their names."""
    with _whole():
        _, pairs = footer.metadata.get(KEY_VALUES, (LIST, (thrift.STRUCT, [])))[1]
        metadata = {_get(pair, 1): _get(pair, 2) for pair in pairs if 2 in pair}
    index = _pandas_index(metadata.get(b"pandas", b"{}"))
    return [name for name in names if name in index or is_index_level(name)]


def _pandas_index(metadata: bytes) -> list[Any]:
    """https://pandas.pydata.org/docs/development/developer.html; a range without a column is an object there."""
    try:
        found = orjson.loads(metadata)["index_columns"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


def _file(
    metadata: Struct, body: list[bytes], chunks: list[Struct], rows: int, columns: Collection[str] | None
) -> bytes:
    """Leaves out the key-value metadata, where writers keep a schema of all columns."""
    sizes = [_get(chunk[3][1], 6) for chunk in chunks]
    group: Struct = {1: (LIST, (thrift.STRUCT, chunks)), 2: (I64, sum(sizes)), 3: (I64, rows)}
    footer: Struct = {
        VERSION: metadata[VERSION],
        SCHEMA: (LIST, (thrift.STRUCT, _schema(metadata, columns))),
        ROWS: (I64, rows),
        GROUPS: (LIST, (thrift.STRUCT, [group] if chunks else [])),
    }
    end = thrift.encoded(footer)
    return b"".join([*body, end, len(end).to_bytes(4, "little"), MAGIC])


def _schema(metadata: Struct, columns: Collection[str] | None) -> list[Struct]:
    """The root and the wanted columns below it, in depth-first order."""
    root, *elements = _get(metadata, SCHEMA)[1]
    kept: list[Struct] = []
    count = place = 0
    while place < len(elements):
        end = _end(elements, place)
        if columns is None or _get(elements[place], 4).decode("utf-8", "replace") in columns:
            kept += elements[place:end]
            count += 1
        place = end
    return [root | {5: (thrift.I32, count)}, *kept]


def _end(elements: list[Struct], place: int) -> int:
    """The place after an element and all elements below it."""
    left = 1
    while left:
        left += elements[place].get(5, (0, 0))[1] - 1
        place += 1
    return place


def _moved(column: Struct, by: int) -> Struct:
    """The metadata with its page offsets moved, without statistics and Bloom filters."""
    kept = {number: column[number] for number in (1, 2, 3, 4, 5, 6, 7)}
    for number in (PAGES, DICTIONARY, INDEX):
        if column.get(number, (0, 0))[1] > 0:
            kept[number] = (I64, column[number][1] + by)
    return kept


def _get(fields: Struct, number: int) -> Any:
    return fields[number][1]


def wrong(came: str, expected: str) -> InvalidRequest:
    return InvalidRequest(f"input: got {came}, expected {expected}", field="input")
