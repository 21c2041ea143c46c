"""Streams the bytes of a source: reads ahead while the last block is processed, and decompresses gzip."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from maas.batch.formats.cuts import spans
from maas.batch.formats.interface import Source
from maas.errors import InvalidRequest

BLOCK_BYTES = 8 << 20
FIRST_BYTES = 1 << 20
TAIL_BYTES = 64 << 10
MEMBER_BYTES = 16 << 10  # read gzip members in small pieces first: a file may hold a million of them
UNPACKED_END = 1 << 50  # stands for the end of a compressed stream, whose length is unknown until it is read


def ahead(tasks: Sequence[Callable[[], bytes]]) -> Iterator[bytes]:
    """The results of the tasks in order; a thread runs the next task meanwhile."""
    if len(tasks) < 2:
        yield from (task() for task in tasks)
        return
    with ThreadPoolExecutor(1, "read-ahead") as pool:
        under_way = pool.submit(tasks[0])
        for following in tasks[1:]:
            block = under_way.result()
            under_way = pool.submit(following)
            yield block
        yield under_way.result()


def read_ahead(source: Source, ranges: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of each range, read one range ahead."""
    return ahead([partial(source.read, *one) for one in ranges])


def stream(source: Source, start: int, end: int, further_bytes: int = 0) -> Iterator[bytes]:
    """The bytes from `start` on. Of those from `end` on, few are needed: the first ones come with the last block, the
    others when they are asked for."""
    ranges = spans(start, end, BLOCK_BYTES, FIRST_BYTES)
    if ranges:
        end = min(end + further_bytes, source.size_bytes)
        ranges[-1] = (ranges[-1][0], end)
    yield from read_ahead(source, ranges)
    size = TAIL_BYTES
    while end < source.size_bytes:
        yield source.read(end, min(end + size, source.size_bytes))
        end += size
        size = min(size * 4, BLOCK_BYTES)


def unpacked(source: Source, start: int) -> Iterator[bytes]:
    """The decompressed content from byte `start` on. Raises InvalidRequest for a damaged or truncated file."""
    for block in _inflated(source):
        if start >= len(block):
            start -= len(block)
        else:
            yield block[start:]
            start = 0


def _inflated(source: Source) -> Iterator[bytes]:
    """Decompressed blocks of at most BLOCK_BYTES, whatever the ratio. A file may hold several members in a row."""
    inflate, size = zlib.decompressobj(wbits=31), MEMBER_BYTES
    try:
        for packed in read_ahead(source, spans(0, source.size_bytes, BLOCK_BYTES)):
            at, block = 0, b""
            while at < len(packed) or (len(block) == BLOCK_BYTES and not inflate.eof):
                if inflate.eof:
                    some = packed[at : at + MEMBER_BYTES]
                    at += len(some) - len(some.lstrip(b"\0"))  # zero padding between members
                    if some.strip(b"\0"):
                        inflate, size = zlib.decompressobj(wbits=31), MEMBER_BYTES
                    continue
                some = packed[at : at + size]
                block = inflate.decompress(some, BLOCK_BYTES)
                if block:
                    yield block
                at += len(some) - len(inflate.unused_data if inflate.eof else inflate.unconsumed_tail)
                size = min(size * 4, BLOCK_BYTES)
    except zlib.error as error:
        raise InvalidRequest(f"input: got a damaged gzip file ({error})", field="input") from None
    if not inflate.eof:
        raise InvalidRequest("input: got a truncated gzip file, expected a whole one", field="input")
