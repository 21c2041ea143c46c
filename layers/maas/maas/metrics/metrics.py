"""Reads counters: of minutes while they are recent, before that of the hours and days that they are rolled up to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from maas.aws.dynamodb import Table
from maas.metrics import counter_rows
from maas.metrics.counter_rows import ROLLED, SHARDS, Cell, Step
from maas.metrics.counts import Counts

LATE_HOURS = 3  # until then an hour may still change: an environment adds what it counted when it is used again
_AFTER_TIME = "~"  # sorts after the "#" that follows the time of a sort key


class Counted(NamedTuple):
    cell: Cell
    counts: Counts


class Metrics:
    def __init__(self, table: Table) -> None:
        self._table = table

    def counts(self, model: str, alias: str | None, since: datetime, until: datetime) -> dict[int, Counts]:
        """By version, of the minutes that begin from `since` until before `until`, by this alias or by any (None)."""
        found: dict[int, Counts] = {}
        for cell, counts in self.rows(model, Step.MINUTE, since, until):
            if alias in (None, cell.alias):
                found.setdefault(cell.version, Counts()).add(counts)
        return found

    def points(self, model: str, step: Step, start: datetime, end: datetime) -> dict[Cell, Counts]:
        """Counts of each minute, hour or day that begins from `start` until before `end`, and has any."""
        found: dict[Cell, Counts] = {}
        for cell, counts in self._finest(model, step, start, end):
            cell = cell._replace(start=step.floor(cell.start))
            found.setdefault(cell, Counts()).add(counts)
        return found

    def ever(self, model: str, version: int) -> tuple[Counts, datetime | None]:
        """All that is kept of a version, and the beginning of the last minute, hour or day in which it had any."""
        now = datetime.now(UTC)
        start, end = Step.DAY.floor(now - Step.DAY.kept), now + Step.MINUTE.length
        rows = [one for one in self._finest(model, Step.DAY, start, end) if one.cell.version == version]
        return Counts.sum(one.counts for one in rows), max((one.cell.start for one in rows), default=None)

    def _finest(self, model: str, step: Step, start: datetime, end: datetime) -> Iterator[Counted]:
        """The rows that together have what happened then, once."""
        if step is Step.MINUTE:
            yield from self.rows(model, Step.MINUTE, start, end)
            return
        hours_end = max(start, min(end, self._settled()))
        days_end = max(start, Step.DAY.floor(hours_end)) if step is Step.DAY else start
        yield from self.rows(model, Step.DAY, start, days_end)
        yield from self.rows(model, Step.HOUR, days_end, hours_end)
        yield from self.rows(model, Step.MINUTE, hours_end, end)

    def _settled(self) -> datetime:
        """The hour before which the rows of hours are complete."""
        rolled, now = self.rolled_until(), Step.HOUR.floor(datetime.now(UTC))
        late = LATE_HOURS * Step.HOUR.length
        return datetime.min.replace(tzinfo=UTC) if rolled is None else min(rolled, now) - late

    def rolled_until(self) -> datetime | None:
        """The end of the last hour that was rolled up."""
        row = self._table.get(ROLLED)
        return datetime.fromisoformat(row["until"]) if row else None

    def rows(self, model: str, step: Step, start: datetime, end: datetime) -> Iterator[Counted]:
        """The rows of this step that begin from `start` until before `end`, in no order, several for one cell."""
        if start >= end:
            return
        first, last = (f"{step.prefix}#{step.text(one)}" for one in (start, end - timedelta.resolution))
        for shard in range(SHARDS) if step is Step.MINUTE else (None,):
            for key, row in self._table.between(counter_rows.partition(model, shard), first, last + _AFTER_TIME):
                yield Counted(counter_rows.cell_of(key), Counts.of(row))
