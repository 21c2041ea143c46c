"""Where a file is cut, as far as that is a matter of numbers."""

from itertools import pairwise

MAX_SHARDS = 20_000


def even(start: int, end: int, count: int) -> list[tuple[int, int]]:
    """[start, end) as at most `count` ranges of about the same size, none of them empty."""
    count = max(1, min(count, end - start))
    borders = [start + (end - start) * index // count for index in range(count + 1)]
    return [(first, last) for first, last in pairwise(borders) if first < last]


def shard_count(size_bytes: int, shard_bytes: int) -> int:
    """How many shards of about so many bytes; of a very large file fewer and larger ones."""
    return min(-(-size_bytes // max(shard_bytes, 1)), MAX_SHARDS)


def spans(start: int, end: int, size: int, first: int | None = None) -> list[tuple[int, int]]:
    """[start, end) as ranges of `size`, the last as it comes.

    With `first` they begin with so much and double: work begins early, and what it then waits for is under way.
    """
    found, step = [], min(first or size, size)
    while start < end:
        found.append((start, min(start + step, end)))
        start, step = start + step, min(step * 2, size)
    return found
