"""What became of samples adds up like all counts."""

import math

import pytest

from maas.metrics.counts import Counts
from maas.metrics.tallies import tally
from maas.rollout.guard import Tally


@pytest.mark.parametrize(
    ("differences", "largest"),
    [([], 0.0), ([0.0], 0.0), ([0.3, 1e-9], 0.5), ([0.5], 1.0), ([1e-300], 2.0**-60), ([3.0, math.inf], math.inf)],
)
def test_largest_difference(differences: list[float], largest: float) -> None:
    parts = [Counts(shadow_compared=1) for _ in differences]
    for part, difference in zip(parts, differences, strict=True):
        part.add_difference(difference)
    total = Counts.sum(parts)
    assert total.largest_difference == largest
    assert Counts.of(total.attributes()) == total
    assert sum(total.differences.values()) == sum(difference > 0 for difference in differences)


def test_the_guard_of_a_rollout_reads_comparisons() -> None:
    assert tally(Counts(shadow_compared=50, shadow_mismatched=3), None) == Tally(compared=50, mismatched=3)
