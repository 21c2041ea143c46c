"""`maas stats` and its sparklines."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maas_client import MaasClient, MetricsPoint
from maas_client.cli.looks import dollars
from maas_client.cli.render.stats import WIDTH, sparkline
from support.server.metrics import SUMS
from support.server.server import ContractServer

Command = Callable[..., tuple[int, str, str]]
START = datetime(2026, 1, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def point(minute: int, requests: int) -> MetricsPoint:
    return MetricsPoint(**SUMS | {"at": (START + minute * MINUTE).isoformat(), "requests": requests})


def drawn(points: list[MetricsPoint], minutes: int) -> str:
    return sparkline(points, lambda one: one.requests, START, START + minutes * MINUTE, MINUTE)


def test_a_bar_a_step() -> None:
    assert drawn([point(0, 1), point(1, 4), point(3, 8)], 5) == "▂▅ █ "
    assert drawn([], 3) == "   "
    assert drawn([point(1, 1)], 2) == " █"


def test_steps_share_columns() -> None:
    found = drawn([point(0, 8), point(1, 2), point(119, 4)], 120)
    assert (len(found), found[0], found[-1], found.strip(), len(found.split())) == (WIDTH, "█", "▅", found, 2)


@pytest.fixture
def pushed(command: Command, server: ContractServer) -> None:
    with MaasClient(server.url) as maas:
        maas.models.create("digits")


@pytest.mark.parametrize(("by", "named"), [("version", "1"), ("alias", "production")])
def test_table(command: Command, pushed: None, by: str, named: str) -> None:
    code, out, err = command("stats", "digits", "--by", by)
    assert (code, err) == (0, "")
    line = next(one for one in out.splitlines() if "█" in one)
    assert line.split()[:2] == [named, "2"]
    assert out.rstrip().endswith("in us-east-1 · percentiles are within 9.1%")
    assert "records" not in out


def test_records_of_jobs_have_a_column(command: Command, pushed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUMS, "records", 1234)
    assert {"records", "1,234"} <= set(command("stats", "digits")[1].split())


def test_json_and_the_question_asked(command: Command, pushed: None, server: ContractServer) -> None:
    code, out, _ = command("stats", "digits", "--since", "7d", "--step", "hour", "--json")
    assert code == 0 and json.loads(out)["total"]["requests"] == 2
    path = next(path for _, path, _, _ in reversed(server.seen) if "/metrics" in path)
    assert "step=hour" in path and "by=version" in path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "1w"], "'1w': expected a number of minutes, hours or days"),
        (["--since", "0h"], "'0h': expected a number of minutes, hours or days"),
        (["--watch", "--json"], "--watch draws, --json prints once"),
    ],
)
def test_wrong_usage(command: Command, pushed: None, arguments: list[str], says: str) -> None:
    code, _, err = command("stats", "digits", *arguments)
    assert code == 2 and says in err


def test_points_without_latencies_are_drawn() -> None:
    assert (
        sparkline([replace(point(0, 1), p95_ms=None)], lambda one: one.p95_ms or 0.0, START, START + MINUTE, MINUTE)
        == " "
    )


def test_small_amounts_have_no_exponent() -> None:
    assert [dollars(one) for one in (0.0, 0.0000104, 0.000367, 0.5, 1.0, 1234.5)] == [
        "$0.00",
        "$0.0000104",
        "$0.000367",
        "$0.500",
        "$1.00",
        "$1,234.50",
    ]
