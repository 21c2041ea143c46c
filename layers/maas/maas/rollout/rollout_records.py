"""A rollout as it is stored: its plan, where it stands, and what it has still to tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Self

from maas.errors import InvalidRequest
from maas.records.rows import Row, known, row_of
from maas.rollout.guard import Guards, Standing, Tally

WHOLE = 100
MOST_STEPS = 10
LEAST_MINUTES, MOST_MINUTES = 0.05, 1440.0  # of a step; less than a minute is for trying it out
LEAST_P95_MS, MOST_P95_MS = 0.25, 1_000_000.0  # what the histogram of latencies can tell apart
ROLLBACK, PAUSE = "rollback", "pause"
EVENTS = 100  # that wait to be told, at most


class RolloutStatus(StrEnum):
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    ROLLED_BACK = "ROLLED_BACK"  # by a breach
    ABORTED = "ABORTED"  # by someone


OPEN = (RolloutStatus.RUNNING, RolloutStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Plan(Row):
    """`steps` are the canary's weights one after the other, the last is 100. `notify` as of a job."""

    alias: str
    version: int
    steps: tuple[int, ...]
    minutes_per_step: float
    guards: Guards = field(default_factory=Guards)
    on_breach: str = ROLLBACK
    notify: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        guards = Guards.of(row["guards"])
        return cls(**(known(cls, row) | {"steps": tuple(row["steps"]), "guards": guards}))


@dataclass(frozen=True, slots=True)
class Rollout(Row):
    """`id` is the model's revision when it started, `revision` counts the changes of this record.

    `step` is the index of the step in the plan. Counts up to `counted_from`, a minute, are in `settled`. `breached`:
    the guard or an alarm has paused it. `previous` is where the alias's rollback led before, as fields of an alias.
    `pending` are events that have not been told yet.
    """

    model: str
    id: int
    plan: Plan
    stable: int
    actor: str
    created_at: str
    updated_at: str
    step_started_at: str
    counted_from: str
    previous: Mapping[str, Any]
    status: RolloutStatus = RolloutStatus.RUNNING
    step: int = 0
    revision: int = 1
    breached: bool = False
    settled: tuple[Tally, Tally] = (Tally(), Tally())
    standing: Standing = field(default_factory=Standing)
    decision: Mapping[str, Any] | None = None
    pending: tuple[Mapping[str, Any], ...] = ()

    @property
    def weight(self) -> int:
        return self.plan.steps[self.step]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        made = {
            "plan": Plan.of(row["plan"]),
            "status": RolloutStatus(row["status"]),
            "settled": tuple(map(Tally.of, row["settled"])),
            "standing": Standing.of(row["standing"]),
            "pending": tuple(row["pending"]),
        }
        return cls(**(known(cls, row) | made))

    def row(self) -> dict[str, Any]:
        """The plain values that `of` reads."""
        standing = row_of(self.standing) | {"tests": {name: test.row() for name, test in self.standing.tests.items()}}
        found: dict[str, Any] = row_of(self) | {"standing": standing}
        return found

    def telling(self, event: Mapping[str, Any]) -> Self:
        return replace(self, pending=(*self.pending, event)[-EVENTS:])


def check_plan(plan: Plan) -> None:
    """Raises InvalidRequest naming the field."""
    steps = plan.steps
    growing = all(one < other for one, other in pairwise(steps))
    if not (2 <= len(steps) <= MOST_STEPS and growing and steps[0] >= 1 and steps[-1] == WHOLE):
        expected = f"2 to {MOST_STEPS} whole numbers from 1, each more than the one before, the last {WHOLE}"
        raise InvalidRequest(f"steps: got {list(steps)}, expected {expected}", field="steps")
    _check_range("minutes_per_step", plan.minutes_per_step, LEAST_MINUTES, MOST_MINUTES)
    for name in ("error_rate", "shadow_mismatch"):
        _check_share(f"guards.{name}", getattr(plan.guards, name))
    if plan.guards.p95_ms is not None:
        _check_range("guards.p95_ms", plan.guards.p95_ms, LEAST_P95_MS, MOST_P95_MS)
    _check_range("guards.min_requests", plan.guards.min_requests, 1, 10**9)
    if plan.on_breach not in (ROLLBACK, PAUSE):
        raise InvalidRequest(f"on_breach: got {plan.on_breach}, expected {ROLLBACK} or {PAUSE}", field="on_breach")


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InvalidRequest(f"{name}: got {value:g}, expected {least:g} to {most:g}", field=name)


def _check_share(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < 1:
        raise InvalidRequest(f"{name}: got {value:g}, expected a share between 0 and 1, such as 0.02", field=name)
