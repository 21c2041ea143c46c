"""File formats of batch: cuts a file into shards, reads chunks of arrays, writes parts.

Everything reads from a `Source` and writes to bytes, so nothing here depends on S3.
"""

from collections.abc import Sequence
from typing import Any

from maas.batch.formats import cuts, npy_reader
from maas.batch.formats.interface import Chunk, Options, Plan, Reader, Source, Writer
from maas.batch.formats.npy_reader import NpyReader
from maas.batch.formats.npy_writer import NpyWriter
from maas.batch.formats.text import csv_cuts, jsonl_reader
from maas.batch.formats.text.csv_reader import CsvReader
from maas.batch.formats.text.csv_writer import CsvWriter
from maas.batch.formats.text.jsonl_reader import JsonlReader
from maas.batch.formats.text.jsonl_writer import JsonlWriter
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

FORMATS = ("jsonl", "csv", "parquet", "npy")
PACKABLE = ("jsonl", "csv")

__all__ = [
    "FORMATS",
    "Array",
    "Chunk",
    "Options",
    "Plan",
    "Reader",
    "Source",
    "Writer",
    "format_of",
    "pieces",
    "plan",
    "reader",
    "writer",
]


def format_of(name: str) -> str:
    """The format by the suffix of a file name: one of FORMATS, text also with `.gz`. Raises InvalidRequest."""
    possible = [*FORMATS, *(f"{one}.gz" for one in PACKABLE)]
    for one in possible:
        if name.lower().endswith(f".{one}"):
            return one
    expected = ", ".join(f".{one}" for one in possible)
    raise InvalidRequest(f"input: got '{name:.200}', expected a name that ends in one of {expected}", field="input")


def plan(format_: str, source: Source, shard_bytes: int) -> Plan:
    """Cut into shards of about `shard_bytes` each. Raises InvalidRequest for a file that is not of its format."""
    kind, packed = _kind(format_)
    if kind == "jsonl":
        return jsonl_reader.plan_packed() if packed else jsonl_reader.plan(source, shard_bytes)
    if kind == "csv":
        return csv_cuts.plan_packed(source) if packed else csv_cuts.plan(source, shard_bytes)
    if kind == "npy":
        return npy_reader.plan(source, shard_bytes)
    if kind == "parquet":
        from maas.batch.formats.parquet import parquet_reader

        return parquet_reader.plan(source, shard_bytes)
    raise _not_known(format_)


def pieces(
    format_: str, source: Source, layout: dict[str, Any], start: int, end: int, count: int
) -> list[tuple[int, int]]:
    """Cut [start, end) into at most `count` ranges for a reader; into one where the format cannot be cut."""
    kind, packed = _kind(format_)
    if packed:
        return [(start, end)]
    if kind == "csv":
        return csv_cuts.pieces(source, start, end, count)
    return cuts.even(start, end, count)


def reader(format_: str, layout: dict[str, Any], options: Options, signature: Sequence[MetadataTensor]) -> Reader:
    """The reader for a model's inputs. Raises InvalidRequest for a file that cannot fit them."""
    kind, packed = _kind(format_)
    if kind == "jsonl":
        return JsonlReader(options, signature, packed=packed)
    if kind == "csv":
        return CsvReader(layout, options, signature, packed=packed)
    if kind == "npy":
        return NpyReader(layout, options, signature)
    if kind == "parquet":
        from maas.batch.formats.parquet.parquet_reader import ParquetReader

        return ParquetReader(layout, options, signature)
    raise _not_known(format_)


def writer(format_: str, layout: dict[str, Any], options: Options, outputs: Sequence[MetadataTensor]) -> Writer:
    """The writer for the wanted outputs of a model. Raises InvalidRequest for outputs that the format cannot hold."""
    kind, _ = _kind(format_)
    if kind == "jsonl":
        return JsonlWriter(options, outputs)
    if kind == "csv":
        return CsvWriter(layout, options, outputs)
    if kind == "npy":
        return NpyWriter(options, outputs)
    if kind == "parquet":
        from maas.batch.formats.parquet.parquet_writer import ParquetWriter

        return ParquetWriter(layout, options, outputs)
    raise _not_known(format_)


def _kind(format_: str) -> tuple[str, bool]:
    return format_.removesuffix(".gz"), format_.endswith(".gz")


def _not_known(format_: str) -> InvalidRequest:
    return InvalidRequest(f"format: got {format_:.80}, expected one of {list(FORMATS)}", field="format")
