"""A one-sided test that may look as often as it likes: all its looks together err with at most a given chance.

At each look it knows how the canary's bad requests would be distributed if the canary were no worse, and how likely
it is, in that case, to have come this far without a verdict: so it sets the boundary where the chance of crossing it
falsely, now or at any look before, is what `spending` allows by now. What one look leaves over, later ones can use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from maas.records.rows import Row, known, row_of
from maas.rollout.exact_counts import NEGLIGIBLE, Counts

# Where the error is spent: nearly all of it until the bad requests seen tell a rate of 1 % from one of 5 % (their
# variance is then FULL), little before, so that chance alone has no say while they are few, and KEPT for later.
FULL, KEPT, STEEPNESS = 2.8, 0.02, 4
CELLS = 128  # a distribution is kept in so many cells at most: beyond, each cell takes two counts, four, eight, …


@dataclass(frozen=True, slots=True)
class SequentialTest(Row):
    """What the looks so far leave. `excess`: bad requests beyond those that were `expected`, in cells of `unit`.

    `masses[i]` is the chance, were the canary no worse, of an excess of `first + i` without a verdict before.
    """

    first: int = 0
    masses: tuple[float, ...] = (1.0,)
    unit: int = 1
    excess: int = 0
    expected: float = 0.0
    information: float = 0.0
    spent: float = 0.0
    crossed: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**(known(cls, fields) | {"masses": tuple(fields["masses"])}))

    def row(self) -> dict[str, Any]:
        """The plain values that `of` reads. Seven digits of a chance are enough, and half the row."""
        found: dict[str, Any] = row_of(self)
        return found | {"masses": [float(f"{chance:.7g}") for chance in self.masses]}

    def look(self, expected: Counts, bad: int, budget: float) -> Self:
        """The test after one more look, which found `bad` since the last; `budget` is its chance to err, overall."""
        test, centre = self, round(expected.mean)
        while len(expected.probabilities) > CELLS * test.unit or len(test.masses) > CELLS:
            test = test._coarser()
        first, step = _binned(expected, centre, test.unit)
        first, masses = _without_negligible(first + test.first, _convolved(test.masses, step))
        information = self.information + expected.variance
        kept, spent = _cut(masses, budget * spending(information) - self.spent)
        excess = test.excess + (bad - centre) // test.unit
        return replace(
            test,
            first=first,
            masses=tuple(masses[:kept]),
            excess=excess,
            expected=self.expected + expected.mean,
            information=information,
            spent=self.spent + spent,
            crossed=self.crossed or excess >= first + kept,
            unknown={},
        )

    def _coarser(self) -> Self:
        masses = self.masses if self.first % 2 == 0 else (0.0, *self.masses)
        pairs = tuple(sum(masses[index : index + 2]) for index in range(0, len(masses), 2))
        return replace(self, first=self.first // 2, masses=pairs, unit=self.unit * 2, excess=self.excess // 2)


def spending(information: float) -> float:
    """The share of the budget that may be spent by now; grows with the variance of the bad requests seen."""
    if information < FULL:
        return (1 - KEPT) * (information / FULL) ** STEEPNESS
    return 1 - KEPT * FULL / information


def _binned(counts: Counts, centre: int, unit: int) -> tuple[int, Sequence[float]]:
    """The distribution around its centre, in cells of `unit`: the first cell, and the chance of each."""
    if unit == 1:
        return counts.first - centre, counts.probabilities
    first = (counts.first - centre) // unit
    cells = [0.0] * ((counts.first - centre + len(counts.probabilities) - 1) // unit - first + 1)
    for index, chance in enumerate(counts.probabilities, counts.first - centre):
        cells[index // unit - first] += chance
    return first, cells


def _convolved(left: Sequence[float], right: Sequence[float]) -> list[float]:
    made = [0.0] * (len(left) + len(right) - 1)
    for index, chance in enumerate(left):
        if chance > NEGLIGIBLE:
            for further, other in enumerate(right, index):
                made[further] += chance * other
    return made


def _without_negligible(first: int, masses: list[float]) -> tuple[int, list[float]]:
    """Without the negligible chances of the fewest bad requests, which no boundary will ever come near."""
    start = next(index for index, chance in enumerate(masses) if chance > NEGLIGIBLE or index == len(masses) - 1)
    return first + start, masses[start:]


def _cut(masses: Sequence[float], allowed: float) -> tuple[int, float]:
    """How many of the masses stay below the boundary, and the chance of what lies at or beyond it."""
    kept, spent = len(masses), 0.0
    while kept > 1 and spent + masses[kept - 1] <= allowed:
        kept -= 1
        spent += masses[kept]
    return kept, spent
