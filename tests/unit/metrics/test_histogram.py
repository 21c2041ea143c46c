"""Buckets and percentiles."""

import math
import random

import pytest

from maas.metrics.histogram import BUCKETS, PERCENTILE_ERROR, bucket_of, lower_ms, percentile_ms

MS = 1_000_000


def test_buckets_cover_a_quarter_of_a_millisecond_to_seventeen_minutes() -> None:
    assert [bucket_of(ns) for ns in (0, 1, 250_000, 297_000, 298_000)] == [0, 0, 0, 0, 1]
    assert bucket_of(16 * 60 * 1000 * MS) == bucket_of(10**18) == BUCKETS - 1
    for bucket in range(BUCKETS - 1):
        edge_ns = lower_ms(bucket + 1) * MS
        assert bucket_of(math.floor(edge_ns * 0.9999)) == bucket
        assert bucket_of(math.ceil(edge_ns * 1.0001)) == bucket + 1


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_are_within_the_stated_error(seed: int) -> None:
    chance = random.Random(seed)
    times = sorted(0.25 + chance.lognormvariate(3, 1.5) for _ in range(chance.choice([1, 2, 99, 5000])))
    histogram: dict[int, int] = {}
    for ms in times:
        bucket = bucket_of(round(ms * MS))
        histogram[bucket] = histogram.get(bucket, 0) + 1
    for share in (0.0, 0.01, 0.5, 0.95, 0.99, 1.0):
        exact, found = times[max(math.ceil(share * len(times)), 1) - 1], percentile_ms(histogram, share)
        assert found is not None
        assert abs(found - exact) <= exact * (PERCENTILE_ERROR + 1e-6)


def test_no_latencies_have_no_percentile() -> None:
    assert percentile_ms({}, 0.5) is None
