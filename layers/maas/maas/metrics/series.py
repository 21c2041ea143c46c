"""Counters as series of points: of which times, in which steps, grouped by version or alias."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from maas.errors import InvalidRequest
from maas.metrics.counter_rows import Cell, Step
from maas.metrics.counts import Counts

MAX_POINTS = 400
USUAL_RANGE = timedelta(hours=1)
EARLIEST = datetime.min.replace(tzinfo=UTC)
AHEAD = timedelta(days=1)  # of now, at most: clocks differ, and days end
By = Literal["version", "alias"]


@dataclass(frozen=True, slots=True)
class Span:
    """Steps from `start` until before `end`, both at the beginning of one."""

    start: datetime
    end: datetime
    step: Step


@dataclass(frozen=True, slots=True)
class Series:
    """The counts of one version, or of one alias, by the beginning of each step that has any."""

    version: int | None
    alias: str | None
    points: Mapping[datetime, Counts]

    @property
    def total(self) -> Counts:
        return Counts.sum(self.points.values())


def span(start: datetime | None, end: datetime | None, step: Step | None, now: datetime) -> Span:
    """What to show: by default the last hour, in the finest steps that fit. Raises InvalidRequest."""
    end = now if end is None else end.astimezone(UTC)
    if end > now + AHEAD:
        raise InvalidRequest(f"to: got {end.isoformat()}, expected a time at most a day from now", field="to")
    start = end - min(USUAL_RANGE, end - EARLIEST) if start is None else start.astimezone(UTC)
    if start >= end:
        raise InvalidRequest(f"from: got {start.isoformat()}, expected a time before {end.isoformat()}", field="from")
    fitting = [one for one in Step if _points(start, end, one) <= MAX_POINTS and start >= now - one.kept]
    if not fitting:
        oldest, longest = Step.DAY.kept.days, MAX_POINTS
        expected = f"a time in the last {oldest} days, and a range of at most {longest} days"
        raise InvalidRequest(f"from: got {start.isoformat()}, expected {expected}", field="from")
    if step is not None and step not in fitting:
        came = f"{step.name.lower()} for {_points(start, end, step)} points from {start.isoformat()}"
        limits = f"at most {MAX_POINTS} points, of the last {step.kept.days} days"
        raise InvalidRequest(f"step: got {came}, expected {limits}: {fitting[0].name.lower()} fits", field="step")
    step = step or fitting[0]
    last = step.floor(end)
    return Span(step.floor(start), last if last == end else last + step.length, step)


def _points(start: datetime, end: datetime, step: Step) -> int:
    return math.ceil((end - start) / step.length)


def grouped(points: Mapping[Cell, Counts], by: By, versions_before: int) -> list[Series]:
    """Series by version or alias, in that order; versions up to `versions_before` belong to a purged model."""
    found: dict[int | str, dict[datetime, Counts]] = {}
    for cell, counts in points.items():
        if cell.version > versions_before:
            times = found.setdefault(cell.version if by == "version" else cell.alias, {})
            times.setdefault(cell.start, Counts()).add(counts)
    return [
        Series(
            key if isinstance(key, int) else None, key if isinstance(key, str) else None, dict(sorted(times.items()))
        )
        for key, times in sorted(found.items(), key=lambda item: (str(type(item[0])), item[0]))
    ]
