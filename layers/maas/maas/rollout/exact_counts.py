"""The distributions of bad requests among those of the canary, if the canary is no worse: exact, in plain Python."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma, log

NEGLIGIBLE = 1e-18


@dataclass(frozen=True, slots=True)
class Counts:
    """`probabilities[i]` is the chance of `first + i` bad requests; `variance` is the distribution's."""

    first: int
    probabilities: tuple[float, ...]
    mean: float
    variance: float


def against_stable(canary: int, stable: int, bad: int) -> Counts:
    """Of `canary + stable` requests `bad` are bad, and each is as likely to be any of them (hypergeometric)."""
    total = canary + stable
    share = canary / total if total else 0.0
    variance = bad * share * (1 - share) * (total - bad) / (total - 1) if total > 1 else 0.0
    low, high = max(0, bad - stable), min(bad, canary)

    def log_chance(found: int) -> float:
        return _log_choose(canary, found) + _log_choose(stable, bad - found) - _log_choose(total, bad)

    def growth(found: int) -> float:
        """How much likelier `found + 1` is than `found`."""
        return (canary - found) * (bad - found) / ((found + 1) * (stable - bad + found + 1))

    return _spread(low, high, bad * share, variance, log_chance, growth)


def against_limit(canary: int, limit: float) -> Counts:
    """Each of `canary` requests is bad with the chance `limit`, in (0, 1) (binomial)."""
    odds = limit / (1 - limit)

    def log_chance(found: int) -> float:
        return _log_choose(canary, found) + found * log(limit) + (canary - found) * log(1 - limit)

    def growth(found: int) -> float:
        return (canary - found) / (found + 1) * odds

    return _spread(0, canary, canary * limit, canary * limit * (1 - limit), log_chance, growth)


def _spread(
    low: int,
    high: int,
    mean: float,
    variance: float,
    log_chance: Callable[[int], float],
    growth: Callable[[int], float],
) -> Counts:
    """From the middle to both sides, until the chances are negligible."""
    middle = min(max(round(mean), low), high)
    peak = exp(log_chance(middle))
    above, chance, found = [peak], peak, middle
    while found < high and chance > NEGLIGIBLE:
        chance *= growth(found)
        above.append(chance)
        found += 1
    below, chance, found = [], peak, middle
    while found > low and chance > NEGLIGIBLE:
        found -= 1
        chance /= growth(found)
        below.append(chance)
    return Counts(found, (*reversed(below), *above), mean, variance)


def _log_choose(of: int, chosen: int) -> float:
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)
