"""Makes one Parquet file of several with the same columns, so that row groups are encoded as their records come."""

from collections.abc import Sequence
from itertools import chain

from maas.batch.formats.parquet import thrift
from maas.batch.formats.parquet.parquet_file import COLUMNS, DICTIONARY, GROUPS, INDEX, MAGIC, PAGES, ROWS
from maas.batch.formats.parquet.thrift import I16, I64, LIST, STRUCT, Struct

METADATA, BLOOM_FILTER = 3, 14  # in ColumnChunk, in ColumnMetaData
CHUNK, OFFSET_INDEX, COLUMN_INDEX = 2, 4, 6  # in ColumnChunk: offsets
GROUP_OFFSET, ORDINAL = 5, 7  # in RowGroup


def joined(files: Sequence[bytes]) -> bytes:
    """A file with the row groups of all files, in order. Equal files give equal bytes."""
    if len(files) == 1:
        return files[0]
    body: list[bytes | memoryview] = [MAGIC]
    groups: list[Struct] = []
    size, footers = len(MAGIC), []
    for file in files:
        end = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
        footers.append(thrift.Decoder(file, end).struct())
        for group in footers[-1][GROUPS][1][1]:
            groups.append(_moved(group, size - len(MAGIC), len(groups)))
        body.append(memoryview(file)[len(MAGIC) : end])
        size += len(body[-1])
    rows = sum(footer[ROWS][1] for footer in footers)
    footer = thrift.encoded(footers[0] | {ROWS: (I64, rows), GROUPS: (LIST, (STRUCT, groups))})
    return b"".join(chain(body, [footer, len(footer).to_bytes(4, "little"), MAGIC]))


def _moved(group: Struct, by: int, ordinal: int) -> Struct:
    """The row group at a place so many bytes further on, the one of this number in its file."""
    columns = []
    for chunk in group[COLUMNS][1][1]:
        metadata = _shifted(chunk[METADATA][1], (PAGES, INDEX, DICTIONARY, BLOOM_FILTER), by)
        columns.append(_shifted(chunk, (CHUNK, OFFSET_INDEX, COLUMN_INDEX), by) | {METADATA: (STRUCT, metadata)})
    moved = _shifted(group, (GROUP_OFFSET,), by)
    return moved | {COLUMNS: (LIST, (STRUCT, columns)), ORDINAL: (I16, ordinal)}


def _shifted(fields: Struct, offsets: Sequence[int], by: int) -> Struct:
    """With the offsets moved that are set: 0 stands for none."""
    return fields | {number: (I64, fields[number][1] + by) for number in offsets if fields.get(number, (0, 0))[1] > 0}
