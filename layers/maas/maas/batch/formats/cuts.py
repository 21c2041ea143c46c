"""Arithmetic of cutting a range into shards and reads."""

from collections.abc import Iterator
from itertools import pairwise

MAX_SHARDS = 20_000
MANY_ROWS = 4096  # in a chunk: a slow model has fewer, and each of its runs reads all of its weights
FIRST_PART = 8  # of a chunk of many


def even(start: int, end: int, count: int) -> list[tuple[int, int]]:
    """[start, end) as at most `count` ranges of about equal size, none empty."""
    count = max(1, min(count, end - start))
    borders = [start + (end - start) * index // count for index in range(count + 1)]
    return [(first, last) for first, last in pairwise(borders) if first < last]


def shard_count(size_bytes: int, shard_bytes: int) -> int:
    """The number of shards of about `shard_bytes`; at most MAX_SHARDS, which are larger then."""
    return min(-(-size_bytes // max(shard_bytes, 1)), MAX_SHARDS)


def spans(start: int, end: int, size: int, first: int | None = None) -> list[tuple[int, int]]:
    """[start, end) as ranges of `size`, the last one shorter.

    With `first` the sizes start there and double, so that work on the first block starts early.
    """
    found, step = [], min(first or size, size)
    while start < end:
        found.append((start, min(start + step, end)))
        start, step = start + step, min(step * 2, size)
    return found


def growing(rows: int) -> Iterator[int]:
    """The sizes of chunks of at most `rows`: many start small and double, so that a quick model starts early."""
    size = rows if rows < MANY_ROWS else rows // FIRST_PART
    while True:
        yield size
        size = min(size * 2, rows)
