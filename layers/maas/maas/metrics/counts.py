"""What is counted: of one version by one alias in a minute, an hour or a day, or of several of these together."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

_BUCKET, _REASON, _POWER = "h", "e_", "d_"  # prefixes of attributes
EXPIRES_AT = "expires_at"  # the attribute of a row that counts nothing
LEAST_POWER, INFINITE = -60, 1025  # of two: below the first, differences are counted as one


def power_above(difference: float) -> int | None:
    """The power of two that a difference is below; None for 0."""
    if not difference:
        return None
    return INFINITE if math.isinf(difference) else max(math.frexp(difference)[1], LEAST_POWER)


def two_to(power: int | None) -> float:
    """The opposite of `power_above`: at most this, and more than half of it."""
    if power is None:
        return 0.0
    return math.inf if power == INFINITE else math.ldexp(1.0, power)


@dataclass(slots=True)
class Counts:
    """`requests` includes `errors` (5xx) and `refused` (4xx); `reasons` has their numbers by class of error.

    `rows` are those of requests, `records` those of batch jobs, done in `shards`. `billed_ms` is the time that Lambda
    bills, `mb_ms` that time by the function's memory; `batch_mb_ms` is the same of shards. `success_us` and `fail_us`
    add up latencies, `compute_us` the runs of the model.

    As a shadow: of `shadow_compared` samples `shadow_mismatched` differ from what was answered, `shadow_failed` of
    these for want of an answer; `shadow_dropped` were not compared. `differences` counts the largest difference of each
    by the power of two that it is below. `captured` requests are in files, those of `capture_dropped` are lost.

    `others` are numbers that another release counts: they are added up alike.
    """

    requests: int = 0
    errors: int = 0
    refused: int = 0
    cold_loads: int = 0
    rows: int = 0
    compute_us: int = 0
    success_us: int = 0
    fail_us: int = 0
    billed_ms: int = 0
    mb_ms: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    shards: int = 0
    records: int = 0
    record_errors: int = 0
    batch_mb_ms: int = 0
    shadow_compared: int = 0
    shadow_mismatched: int = 0
    shadow_failed: int = 0
    shadow_dropped: int = 0
    captured: int = 0
    capture_dropped: int = 0
    histogram: dict[int, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    differences: dict[int, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for bucket, count in other.histogram.items():
            self.histogram[bucket] = self.histogram.get(bucket, 0) + count
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        for power, count in other.differences.items():
            self.differences[power] = self.differences.get(power, 0) + count
        for name, count in other.others.items():
            self.others[name] = self.others.get(name, 0) + count

    def add_difference(self, largest: float) -> None:
        """That of one comparison, from 0 to infinity."""
        power = power_above(largest)
        if power is not None:
            self.differences[power] = self.differences.get(power, 0) + 1

    @property
    def largest_difference(self) -> float:
        """At most this, and more than half of it; infinite if an output had no counterpart."""
        return two_to(max(self.differences, default=None))

    @classmethod
    def sum(cls, some: Iterable["Counts"]) -> Self:
        total = cls()
        for one in some:
            total.add(one)
        return total

    def attributes(self) -> dict[str, int]:
        """Those of a row, without zeros."""
        found = {name: value for name in SUMS if (value := getattr(self, name))}
        found |= {f"{_BUCKET}{bucket}": count for bucket, count in self.histogram.items()}
        found |= {f"{_POWER}{power}": count for power, count in self.differences.items()}
        return found | {_REASON + reason: count for reason, count in self.reasons.items()} | self.others

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Of a row's attributes."""
        found = cls(**{name: row[name] for name in SUMS if name in row})
        for name, count in row.items():
            if name.startswith(_REASON):
                found.reasons[name.removeprefix(_REASON)] = count
            elif name.startswith(_POWER) and name[len(_POWER) :].lstrip("-").isdigit():
                found.differences[int(name.removeprefix(_POWER))] = count
            elif name[:1] == _BUCKET and name[1:].isdigit():
                found.histogram[int(name[1:])] = count
            elif name not in SUMS and name != EXPIRES_AT and isinstance(count, int):
                found.others[name] = count
        return found


SUMS = tuple(one.name for one in fields(Counts) if one.name not in ("histogram", "reasons", "differences", "others"))
