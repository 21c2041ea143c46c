"""Bytes of a source one after the other: the next are fetched while the last are worked on, and unpacked if need be."""

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
MEMBER_BYTES = 16 << 10  # of a stream of gzip at first: what follows its end is copied, and it may be one of a million
UNPACKED_END = 1 << 50  # where a packed stream ends at the latest: how long it is, nobody knows before the end


def ahead(tasks: Sequence[Callable[[], bytes]]) -> Iterator[bytes]:
    """What each gives, in order, of which the next is always under way."""
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
    """The bytes of each range."""
    return ahead([partial(source.read, *one) for one in ranges])


def stream(source: Source, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` on; those from `end` on, of which few are wanted, only when asked for."""
    yield from read_ahead(source, spans(start, end, BLOCK_BYTES, FIRST_BYTES))
    size = TAIL_BYTES
    while end < source.size_bytes:
        yield source.read(end, min(end + size, source.size_bytes))
        end += size
        size = min(size * 4, BLOCK_BYTES)


def unpacked(source: Source, start: int) -> Iterator[bytes]:
    """What a gzip file has from byte `start` of its content on. Raises InvalidRequest for what is no gzip."""
    for block in _inflated(source):
        if start >= len(block):
            start -= len(block)
        else:
            yield block[start:]
            start = 0


def _inflated(source: Source) -> Iterator[bytes]:
    """Block by block, however much a few bytes unpack to. A file may be several streams, one after the other."""
    inflate, size = zlib.decompressobj(wbits=31), MEMBER_BYTES
    try:
        for packed in read_ahead(source, spans(0, source.size_bytes, BLOCK_BYTES)):
            at, block = 0, b""
            while at < len(packed) or (len(block) == BLOCK_BYTES and not inflate.eof):
                if inflate.eof:
                    some = packed[at : at + MEMBER_BYTES]
                    at += len(some) - len(some.lstrip(b"\0"))  # padding, as tapes have it
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
