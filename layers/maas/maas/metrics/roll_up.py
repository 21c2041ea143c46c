"""Rolls counters up: minutes to hours, hours to days. Each row is computed whole, so that a repeat changes nothing."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from maas.aws.dynamodb import Table
from maas.aws.writes import Item, Key
from maas.metrics import counter_rows
from maas.metrics.counter_rows import ROLLED, Cell, Step
from maas.metrics.counts import Counts
from maas.metrics.metrics import LATE_HOURS, Counted, Metrics

PAGE = 500
CATCH_UP = Step.MINUTE.kept - Step.DAY.length  # beyond that, rows of minutes may have expired


class RollUp:
    def __init__(self, table: Table) -> None:
        self._table, self._metrics = table, Metrics(table)

    def run(self, now: datetime, deadline: float) -> Iterator[str]:
        """Roll up the hours that ended before `now`: those since the last run, and a few before it for what came late.

        Yields each hour; ends at `deadline` (time.monotonic), for the next run to go on.
        """
        end = Step.HOUR.floor(now)
        stored = self._metrics.rolled_until()
        rolled = min(stored, end) if stored else None  # the clock of an earlier run may have been ahead
        hour = max(end - CATCH_UP, (rolled or end - CATCH_UP) - LATE_HOURS * Step.HOUR.length)
        try:
            while hour < end and time.monotonic() < deadline:
                for model in sorted(self._active(hour)):
                    self._roll(model, Step.MINUTE, Step.HOUR, hour)
                    self._roll(model, Step.HOUR, Step.DAY, Step.DAY.floor(hour))
                hour += Step.HOUR.length
                yield Step.HOUR.text(hour - Step.HOUR.length)
        finally:
            until = max(hour, rolled or hour)
            if until != stored:
                self._table.replace({ROLLED: {"until": until.isoformat()}})

    def _active(self, hour: datetime) -> set[str]:
        found: set[str] = set()
        after: str | None = None
        while keys := self._table.keys(counter_rows.active_partition(hour), "", limit=PAGE, after=after):
            after = keys[-1][1]
            found.update(name.rpartition("#")[0] for _, name in keys)
        return found

    def _roll(self, model: str, finer: Step, step: Step, start: datetime) -> None:
        rows = self._metrics.rows(model, finer, start, start + step.length)
        self._table.replace(_rows(model, step, start, rows))


def _rows(model: str, step: Step, start: datetime, finer: Iterable[Counted]) -> dict[Key, Item]:
    sums: dict[Cell, Counts] = {}
    for cell, counts in finer:
        sums.setdefault(cell._replace(start=start), Counts()).add(counts)
    return {
        (counter_rows.partition(model), counter_rows.sort_key(step, cell)): counts.attributes()
        | {"expires_at": step.expires_at(start)}
        for cell, counts in sums.items()
    }
