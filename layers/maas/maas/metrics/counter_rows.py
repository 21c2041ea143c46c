"""Rows of counters.

| pk | sk | row |
|---|---|---|
| `S#model#shard` | `m#2026-11-26T17:05#version#alias` | Counts of a minute; an environment adds to one shard |
| `S#model` | `h#2026-11-26T17#version#alias` | of an hour, `d#2026-11-26#…` of a day: sums of the finer rows |
| `ACTIVE#2026-11-26T17` | `model#shard` | the model has rows of minutes in that hour |
| `ROLLED` | `hours` | the hour before which all hours and days are rolled up |
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from maas.aws.writes import Key

SHARDS = 4
ROLLED: Key = ("ROLLED", "hours")


class Step(Enum):
    """`prefix` and length of a sort key's time, the length in time, and how long a row is kept."""

    MINUTE = "m", 16, timedelta(minutes=1), timedelta(days=15)
    HOUR = "h", 13, timedelta(hours=1), timedelta(days=400)
    DAY = "d", 10, timedelta(days=1), timedelta(days=400)

    def __init__(self, prefix: str, characters: int, length: timedelta, kept: timedelta) -> None:
        self.prefix, self.characters, self.length, self.kept = prefix, characters, length, kept

    def floor(self, time: datetime) -> datetime:
        """The beginning of the minute, hour or day, in UTC."""
        return datetime.fromisoformat(self.text(time)).replace(tzinfo=UTC)

    def text(self, time: datetime) -> str:
        return time.astimezone(UTC).isoformat()[: self.characters]

    def expires_at(self, start: datetime) -> int:
        """Seconds since 1970."""
        return int((start + self.kept).timestamp())


class Cell(NamedTuple):
    """What one row counts. `alias` is empty for requests that came by a number, or by no reference at all."""

    start: datetime
    version: int
    alias: str


def partition(model: str, shard: int | None = None) -> str:
    return f"S#{model}" if shard is None else f"S#{model}#{shard}"


def sort_key(step: Step, cell: Cell) -> str:
    return f"{step.prefix}#{step.text(cell.start)}#{cell.version}#{cell.alias}"


def cell_of(sk: str) -> Cell:
    _, start, version, alias = sk.split("#")
    return Cell(datetime.fromisoformat(start).replace(tzinfo=UTC), int(version), alias)


def active_partition(hour: datetime) -> str:
    return f"ACTIVE#{Step.HOUR.text(hour)}"


def active_key(hour: datetime, model: str, shard: int) -> Key:
    return active_partition(hour), f"{model}#{shard}"
