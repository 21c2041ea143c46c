"""Cuts a CSV file at newlines outside quotes; quotes count from the beginning of the file."""

import codecs
import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, pairwise

from maas.batch.formats import cuts
from maas.batch.formats.blocks import BLOCK_BYTES, TAIL_BYTES, UNPACKED_END, unpacked
from maas.batch.formats.columns import check_unique
from maas.batch.formats.interface import Plan, Source
from maas.batch.formats.text.lines import Lines
from maas.batch.formats.text.taken import TooLong
from maas.errors import InvalidRequest

MAX_HEADER_BYTES = 40 << 10  # the layout holds the header
READS_AT_ONCE = 8


def plan(source: Source, shard_bytes: int) -> Plan:
    """Byte ranges that end where records do. Reads the whole file unless it is one shard. Raises InvalidRequest."""
    spans = cuts.spans(0, min(source.size_bytes, 2 * MAX_HEADER_BYTES), TAIL_BYTES)
    names, start = _header(source.read(*span) for span in spans)
    start, size_bytes = min(start, source.size_bytes), source.size_bytes
    shards = pieces(source, start, size_bytes, cuts.shard_count(size_bytes - start, shard_bytes)) if names else []
    return Plan([shard for shard in shards if shard[0] < shard[1]], {"header": names, "start": start})


def plan_packed(source: Source) -> Plan:
    """The plan of a compressed file: one range after the header."""
    names, start = _header(unpacked(source, 0))
    return Plan([(start, UNPACKED_END)] if names else [], {"header": names, "start": start})


def pieces(source: Source, start: int, end: int, count: int) -> list[tuple[int, int]]:
    """Cut [start, end), which begins with a record, into at most `count` ranges that end where records do."""
    spans = cuts.even(start, end, count)
    if len(spans) < 2:
        return spans
    with ThreadPoolExecutor(READS_AT_ONCE, "quotes") as pool:
        quotes = list(pool.map(lambda span: _quotes(source, *span), spans[:-1]))
        open_at = [total % 2 == 1 for total in accumulate(quotes)]
        found = pool.map(lambda span, is_open: _record_start(source, span[0], span[1], is_open), spans[1:], open_at)
        borders = [start, *(border for border in found if border is not None), end]
    return [(first, last) for first, last in pairwise(borders) if first < last]


def _quotes(source: Source, start: int, end: int) -> int:
    return sum(source.read(*span).count(b'"') for span in cuts.spans(start, end, BLOCK_BYTES))


def _record_start(source: Source, start: int, end: int, is_open: bool) -> int | None:
    """Where the first record after `start` begins, None if not before `end`. `is_open`: `start` is inside quotes."""
    size = TAIL_BYTES
    while start < end:
        window = source.read(start, min(start + size, end))
        at = 0
        while at >= 0:
            quote = window.find(b'"', at)
            newline = -1 if is_open else window.find(b"\n", at, quote if quote >= 0 else len(window))
            if newline >= 0:
                return start + newline + 1
            at, is_open = quote + 1 or -1, is_open != (quote >= 0)
        start += len(window)
        size = min(size * 4, BLOCK_BYTES)
    return None


def _header(blocks: Iterator[bytes]) -> tuple[list[str], int]:
    """The column names and where the first record begins; no names for an empty file."""
    taken = Lines(blocks, 0, UNPACKED_END, quoted=True).take(1)
    if not taken:
        return [], 0
    line = taken.lines[0]
    if isinstance(line, TooLong) or len(line) > MAX_HEADER_BYTES:
        raise InvalidRequest(f"header: got more than {MAX_HEADER_BYTES:,} bytes, expected at most that", field="header")
    line = line.removesuffix(b"\r")
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InvalidRequest("header: got UTF-16, expected UTF-8: save the file as `CSV UTF-8`", field="header")
    if b"\r" in line and b'"' not in line:
        expected = "ones that end in a newline (LF or CRLF): save the file as `CSV UTF-8`"
        raise InvalidRequest(
            f"header: got lines that end in a carriage return alone, expected {expected}", field="header"
        )
    try:
        names = next(csv.reader([line.decode()], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(
            f"header: got an unreadable one, expected CSV in UTF-8 ({error})", field="header"
        ) from None
    check_unique(names)
    return names, taken.ends[0]
