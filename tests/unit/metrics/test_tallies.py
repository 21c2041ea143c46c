"""What the guard of rollouts reads from counters."""

import pytest

from maas.metrics.counts import Counts
from maas.metrics.histogram import bucket_of, lower_ms
from maas.metrics.tallies import tally
from maas.rollout.guard import Tally

COUNTS = Counts(requests=100, errors=3, refused=2, cold_loads=1, shadow_compared=40, shadow_mismatched=4)
COUNTS.histogram = {bucket_of(5_000_000): 90, bucket_of(150_000_000): 6, bucket_of(900_000_000): 4}


def test_counts_without_a_limit() -> None:
    assert tally(COUNTS, None) == Tally(100, 3, 2, 0, 40, 4)


@pytest.mark.parametrize(("p95_ms", "slow"), [(1, 99), (100, 9), (200, 3), (1000, 0)])
def test_slow_requests_but_those_that_load(p95_ms: float, slow: int) -> None:
    assert tally(COUNTS, p95_ms).slow == slow


def test_a_bucket_is_slow_as_a_whole() -> None:
    """So nothing within the limit counts as slow, and what is up to 19 % above it may not."""
    lower = lower_ms(bucket_of(150_000_000))
    assert (tally(COUNTS, lower).slow, tally(COUNTS, lower * 1.01).slow) == (9, 3)


def test_loads_are_never_less_than_none() -> None:
    assert tally(Counts(requests=1, cold_loads=5), 10).slow == 0
