"""Which times and steps are shown, how counts are grouped, and what they cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maas import bootstrap
from maas.errors import InvalidRequest
from maas.metrics.counter_rows import Cell, Step
from maas.metrics.counts import Counts
from maas.metrics.prices import PRICED_ON, Prices, prices_of
from maas.metrics.series import grouped, span
from maas.settings import MissingSetting, Settings

NOW = datetime(2026, 11, 26, 17, 30, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = (step.length for step in Step)


def ago(time: timedelta) -> datetime:
    return NOW - time


def test_the_last_hour_by_minutes_is_the_default() -> None:
    found = span(None, None, None, NOW)
    assert (found.start, found.end, found.step) == (
        datetime(2026, 11, 26, 16, 30, tzinfo=UTC),
        datetime(2026, 11, 26, 17, 31, tzinfo=UTC),
        Step.MINUTE,
    )


@pytest.mark.parametrize(
    ("back", "step"),
    [
        (6 * HOUR, Step.MINUTE),
        (400 * MINUTE, Step.MINUTE),
        (401 * MINUTE, Step.HOUR),
        (16 * DAY, Step.HOUR),
        (17 * DAY, Step.DAY),
        (400 * DAY, Step.DAY),
    ],
)
def test_the_finest_step_that_fits_is_the_default(back: timedelta, step: Step) -> None:
    assert span(ago(back), None, None, NOW).step is step


def test_old_times_have_no_minutes() -> None:
    assert span(ago(16 * DAY), ago(16 * DAY - HOUR), None, NOW).step is Step.HOUR


@pytest.mark.parametrize(
    ("start", "end", "step", "field", "says"),
    [
        (NOW, NOW, None, "from", "expected a time before"),
        (NOW, ago(DAY), None, "from", "expected a time before"),
        (None, ago(-2 * DAY), None, "to", "expected a time at most a day from now"),
        (ago(401 * DAY), None, None, "from", "expected a time in the last 400 days"),
        (ago(401 * MINUTE), None, Step.MINUTE, "step", "at most 400 points, of the last 15 days: hour fits"),
        (ago(16 * DAY), ago(16 * DAY - HOUR), Step.MINUTE, "step", "of the last 15 days: hour fits"),
        (ago(17 * DAY), None, Step.HOUR, "step", "got hour for 408 points"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    start: datetime, end: datetime | None, step: Step | None, field: str, says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says) as caught:
        span(start, end, step, NOW)
    assert caught.value.field == field


def test_other_zones_and_whole_steps() -> None:
    east = NOW.astimezone(tz=None)
    found = span(east - 5 * DAY, east, Step.DAY, NOW)
    assert (found.start, found.end) == (datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))
    whole = span(Step.HOUR.floor(NOW) - HOUR, Step.HOUR.floor(NOW), Step.HOUR, NOW)
    assert (whole.start, whole.end) == (Step.HOUR.floor(NOW) - HOUR, Step.HOUR.floor(NOW))


def test_groups_add_up_and_leave_out_a_purged_model() -> None:
    def cell(minute: int, version: int, alias: str) -> Cell:
        return Cell(NOW + minute * MINUTE, version, alias)

    points = {
        cell(1, 3, "prod"): Counts(requests=1),
        cell(0, 3, "prod"): Counts(requests=2),
        cell(0, 3, ""): Counts(requests=4),
        cell(0, 10, "prod"): Counts(requests=8),
        cell(0, 2, "prod"): Counts(requests=16),
    }
    by_version = grouped(points, "version", versions_before=2)
    assert [(one.version, one.alias, one.total.requests) for one in by_version] == [(3, None, 7), (10, None, 8)]
    assert [(at, counts.requests) for at, counts in by_version[0].points.items()] == [(NOW, 6), (NOW + MINUTE, 1)]
    by_alias = grouped(points, "alias", versions_before=2)
    assert [(one.version, one.alias, one.total.requests) for one in by_alias] == [(None, "", 4), (None, "prod", 11)]


def test_cost_of_requests_and_shards() -> None:
    prices = Prices(gb_second=0.00002, million_requests=0.5)
    thousand = Counts(requests=1000, mb_ms=1000 * 50 * 2048)  # 50 ms each, at 2 GB
    assert prices.of_requests(thousand) == pytest.approx(1000 * (0.05 * 2 * 0.00002 + 0.0000005))
    assert prices.of_shards(2 * 1024 * 60_000, 4) == pytest.approx(2 * 60 * 0.00002 + 4 * 0.0000005)


def test_prices_of_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert prices_of("us-east-1") == Prices(0.0000166667, 0.20, PRICED_ON)
    assert prices_of("af-south-1") == Prices(0.0000221, 0.27, PRICED_ON)
    assert prices_of("moon-west-1") is None
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    arm = prices_of("us-east-1")
    assert arm and arm.gb_second == pytest.approx(0.0000133334, rel=1e-4)


def test_given_prices_come_first() -> None:
    assert prices_of("moon-west-1", "0.00001", "0.1") == Prices(0.00001, 0.1, None)
    assert prices_of("us-east-1", "", "0.1") == Prices(prices_of("us-east-1").gb_second, 0.1, None)  # type: ignore[union-attr]


@pytest.mark.parametrize("given", ["-1", "nan", "inf", "free"])
def test_a_price_that_is_none_fails_the_start(given: str) -> None:
    settings: dict[str, Any] = {"table": "t", "bucket": "b", "price_gb_second": given}
    with pytest.raises(MissingSetting, match="MAAS_PRICE_GB_SECOND"):
        bootstrap.prices(Settings(**settings))
