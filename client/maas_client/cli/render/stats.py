"""Draws metrics: a line a version or alias, with a sparkline of its requests and one of its latencies."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from rich.console import Group
from rich.table import Table
from rich.text import Text

from maas_client.cli.looks import dollars, line, row, spaced, table_of
from maas_client.reading import instant
from maas_client.records.jobs import JobShadow
from maas_client.records.metrics import MetricsPoint, MetricsSeries, MetricsShadow, ModelMetrics

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 20  # columns of a sparkline
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
NOTHING = "–"


def shown(found: ModelMetrics) -> Group:
    start, end = instant(found.start), instant(found.end)
    times = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, by {found.step}"
    head = spaced((found.model, "bold"), (times, "dim"))
    if not found.series:
        return Group(head, line("nothing was asked of it in that time"))
    records = ("records",) if found.total.records else ()
    numbers = ("requests", "per second", "errors", "refused", "p50 ms", "p95 ms", "p99 ms", *records, "$ per 1,000")
    table = table_of(found.by, *numbers, "requests over time", "p95 over time")
    for one in found.series:
        _add(table, one, start, end, STEPS[found.step], with_records=bool(records))
    return Group(head, table, _foot(found))


def _add(
    table: Table, one: MetricsSeries, start: datetime, end: datetime, step: timedelta, *, with_records: bool
) -> None:
    total, seconds = one.total, (end - start).total_seconds()
    cost = one.cost.usd_per_1000_requests if one.cost else None

    def over(value: Callable[[MetricsPoint], float]) -> str:
        return sparkline(one.points, value, start, end, step)

    row(
        table,
        (str(one.version) if one.version is not None else one.alias or NOTHING, "bold"),
        f"{total.requests:,}",
        f"{total.requests / seconds:.3g}",
        (_share(total.errors, total.requests), "red" if total.errors else ""),
        (_share(total.refused, total.requests), "yellow" if total.refused else ""),
        *(NOTHING if ms is None else f"{ms:.3g}" for ms in (total.p50_ms, total.p95_ms, total.p99_ms)),
        *([f"{total.records:,}"] if with_records else []),
        NOTHING if cost is None else dollars(cost)[1:],
        (over(lambda point: point.requests), "cyan"),
        (over(lambda point: point.p95_ms or 0.0), "magenta"),
    )


def _share(count: int, requests: int) -> str:
    return f"{count:,} ({count / requests:.1%})" if count else "0"


def _foot(found: ModelMetrics) -> Text:
    total = found.total
    parts = [part for one in found.series for part in _samples(one)]
    if total.reasons:
        listed = sorted(total.reasons.items(), key=lambda one: -one[1])
        parts.append(", ".join(f"{name} {count:,}" for name, count in listed))
    if found.cost and found.prices:
        dated = f" of {found.prices.priced_on}" if found.prices.priced_on else ""
        usd = found.cost.usd + found.cost.records_usd
        parts.append(f"Lambda: {dollars(usd)} in all, prices{dated} in {found.prices.region}")
    parts.append(f"percentiles are within {found.percentile_error:.1%}")
    return line((" · ".join(parts), "dim"))


def _samples(one: MetricsSeries) -> Iterator[str]:
    """What became of the requests that were copied."""
    name, total = f"{one.version if one.version is not None else one.alias}", one.total
    if total.shadow:
        shadow = total.shadow
        yield f"{name} as a shadow: {compared(shadow)}; {shadow.failed:,} failed, {shadow.dropped:,} dropped"
    if total.captured or total.capture_dropped:
        yield f"{name}: {total.captured:,} requests captured, {total.capture_dropped:,} dropped"


def compared(found: MetricsShadow | JobShadow) -> str:
    """'3 compared, 1 (33.3%) differ, by 0.5 at most'."""
    largest, differ = found.largest_difference, _share(found.mismatched, found.compared)
    most = f", by {largest:.3g} at most" if largest else ", an output without counterpart" if largest is None else ""
    return f"{found.compared:,} compared, {differ} differ{most}"


def sparkline(
    points: Sequence[MetricsPoint],
    value: Callable[[MetricsPoint], float],
    start: datetime,
    end: datetime,
    step: timedelta,
) -> str:
    """A bar a step, or the largest of several steps that share a column; blank where there is nothing."""
    steps = max(1, round((end - start) / step))
    columns = min(WIDTH, steps)
    heights = [0.0] * columns
    for point in points:
        column = min(columns - 1, max(0, int((instant(point.at) - start) / step * columns / steps)))
        heights[column] = max(heights[column], value(point))
    highest = max(heights) or 1.0
    return "".join(BARS[min(7, int(height / highest * 8))] if height else " " for height in heights)
