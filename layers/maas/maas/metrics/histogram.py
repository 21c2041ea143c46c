"""Latencies in fixed buckets, four for each doubling from 0.25 ms to 17 min: histograms of any environments add up.

A percentile is the middle of its bucket, on the scale of ratios: for latencies of 0.25 ms and more, it differs from the
exact one by at most PERCENTILE_ERROR of it.
"""

from collections.abc import Mapping
from math import ceil, log2

BUCKETS = 88
SMALLEST_NS = 250_000
PER_DOUBLING = 4
PERCENTILE_ERROR = 2 ** (1 / (2 * PER_DOUBLING)) - 1  # 9.1 %
NS_PER_MS = 1_000_000
Histogram = Mapping[int, int]  # number of latencies by bucket


def bucket_of(ns: int) -> int:
    """The bucket of a latency; the first and the last take what is beyond them."""
    return min(int(PER_DOUBLING * log2(ns / SMALLEST_NS)), BUCKETS - 1) if ns > SMALLEST_NS else 0


def lower_ms(bucket: int) -> float:
    """The smallest latency of the bucket."""
    return SMALLEST_NS / NS_PER_MS * 2 ** (bucket / PER_DOUBLING)


def percentile_ms(histogram: Histogram, share: float) -> float | None:
    """The latency that `share` (0 to 1) of all do not exceed, within PERCENTILE_ERROR; None without any."""
    rank, below = ceil(share * sum(histogram.values())), 0
    for bucket in sorted(histogram):
        below += histogram[bucket]
        if below >= rank:
            return lower_ms(bucket) * (1 + PERCENTILE_ERROR)
    return None
