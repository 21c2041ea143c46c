"""Rows of counters are rolled up to hours and days, on both engines: nothing twice, nothing lost."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from maas.aws.dynamodb import Table
from maas.metrics import counter_rows
from maas.metrics.counter_rows import ROLLED, Cell, Step
from maas.metrics.counters import Counters
from maas.metrics.counts import Counts
from maas.metrics.metrics import Metrics
from maas.metrics.roll_up import RollUp
from support.observations import seen

MEMORY_MB = 1024


def rolled(table: Table, at: datetime) -> list[str]:
    return list(RollUp(table).run(at, time.monotonic() + 60))


TEN_MINUTES = timedelta(minutes=10)


def filled(table: Table, start: datetime, requests: int) -> None:
    """Count a request every ten minutes, in two environments. Nothing before that day needs to be rolled up."""
    table.replace({ROLLED: {"until": Step.DAY.floor(start).isoformat()}})
    environments = [Counters(table, MEMORY_MB), Counters(table, MEMORY_MB)]
    for index in range(requests):
        environments[index % 2].count(seen(start + index * TEN_MINUTES, version=1 + index % 2))
    for environment in environments:
        environment.flush()


@pytest.fixture
def midnight(now: datetime) -> datetime:
    return Step.DAY.floor(now) - timedelta(days=2)


def totals(metrics: Metrics, step: Step, start: datetime, end: datetime) -> dict[datetime, int]:
    found: Counter[datetime] = Counter()
    for cell, counts in metrics.points("m", step, start, end).items():
        found[cell.start] += counts.requests
    return dict(found)


def test_hours_and_days_add_up(signed_table: Table, table: Table, metrics: Metrics, midnight: datetime) -> None:
    filled(signed_table, midnight + timedelta(hours=22, minutes=50), 15)
    hour, day = timedelta(hours=1), timedelta(days=1)
    hours = {midnight + 22 * hour: 1, midnight + 23 * hour: 6, midnight + day: 6, midnight + day + hour: 2}
    days = {midnight: 7, midnight + day: 8}

    def check() -> None:
        assert totals(metrics, Step.HOUR, midnight, midnight + 3 * day) == hours
        assert totals(metrics, Step.DAY, midnight, midnight + 3 * day) == days
        histogram = Counts.sum(metrics.points("m", Step.DAY, midnight, midnight + 3 * day).values()).histogram
        assert histogram == {17: 15}

    check()  # from the rows of minutes
    assert rolled(table, midnight + 3 * day)
    check()
    assert {len(list(metrics.rows("m", step, midnight, midnight + 3 * day))) for step in (Step.HOUR, Step.DAY)} == {
        7,
        4,
    }


def test_repeated_roll_up_changes_nothing(
    signed_table: Table, table: Table, metrics: Metrics, midnight: datetime
) -> None:
    filled(signed_table, midnight, 10)
    end = midnight + timedelta(hours=5)
    rolled(table, end)
    before = sorted(metrics.rows("m", Step.HOUR, midnight, end)), sorted(metrics.rows("m", Step.DAY, midnight, end))
    assert rolled(table, end)[0] == Step.HOUR.text(end - timedelta(hours=3))
    table.replace({ROLLED: {"until": midnight.isoformat()}})
    rolled(table, end)
    assert before == (
        sorted(metrics.rows("m", Step.HOUR, midnight, end)),
        sorted(metrics.rows("m", Step.DAY, midnight, end)),
    )


@pytest.mark.full
def test_late_counts_are_rolled_up(signed_table: Table, table: Table, metrics: Metrics, midnight: datetime) -> None:
    end = midnight + timedelta(hours=5)
    filled(signed_table, midnight, 20)
    rolled(table, end)
    late = Counters(signed_table, MEMORY_MB)  # frozen since, used again now
    late.count(seen(end - timedelta(minutes=150), version=9))
    late.flush()
    rolled(table, end + timedelta(hours=1))
    found = Counts.sum(counts for _, counts in metrics.rows("m", Step.DAY, midnight, midnight + timedelta(days=1)))
    assert found.requests == 21


@pytest.mark.full
def test_roll_up_goes_on_where_its_time_ended(
    signed_table: Table, table: Table, metrics: Metrics, midnight: datetime
) -> None:
    filled(signed_table, midnight, 30)
    end = midnight + timedelta(hours=6)
    hours = RollUp(table).run(end, time.monotonic() + 60)
    while next(hours) != Step.HOUR.text(midnight + timedelta(hours=2)):
        pass
    hours.close()
    assert metrics.rolled_until() == midnight + timedelta(hours=3)
    assert not list(RollUp(table).run(end, time.monotonic() - 1))  # no time at all
    day = midnight, midnight + timedelta(days=1)
    assert totals(metrics, Step.DAY, *day) == {midnight: 30}
    rolled(table, end)
    assert totals(metrics, Step.DAY, *day) == {midnight: 30}


@pytest.mark.full
def test_clock_that_was_ahead_loses_no_hours(
    signed_table: Table, table: Table, metrics: Metrics, midnight: datetime
) -> None:
    """A run with such a clock says that all hours until then are rolled up."""
    filled(signed_table, midnight, 30)
    table.replace({ROLLED: {"until": (midnight + timedelta(days=1)).isoformat()}})
    for hours in (3, 6, 30):  # none ran for some hours
        rolled(table, midnight + timedelta(hours=hours))
    found = Counts.sum(counts for _, counts in metrics.rows("m", Step.DAY, midnight, midnight + timedelta(days=1)))
    assert found.requests == 30


def test_cells_of_sort_keys() -> None:
    at = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    for step in Step:
        cell = Cell(step.floor(at), 12, "prod-1.x")
        assert counter_rows.cell_of(counter_rows.sort_key(step, cell)) == cell
