"""What the schedule does each minute for rollouts: look, decide, move on or back, and tell what happened.

Everything it knows is in the rollout's row, and each write is on the condition of the row that was read. So a tick that
comes twice, late, at once with another or dies half-way changes nothing wrongly: the next one goes on from the row.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from maas.registry.rollouts import MINUTE, Rollouts, Tallies, minute_of
from maas.rollout.guard import Decision, Tally, Verdict, decide
from maas.rollout.rollout_records import Rollout, RolloutStatus
from maas.telemetry.observability import count
from maas.times import canonical

STATE_CHANGE = "MaaS Rollout State Change"
SETTLED = timedelta(minutes=5)  # after it, counters of a minute are not read again
EARLY_SHARE, EARLY_SECONDS = 0.1, 10  # ticks do not come to the second: a step may end a little early

Tell = Callable[[str, Mapping[str, Any], str | None], None]  # kind of event, detail, whom to notify


class RolloutTick:
    def __init__(self, rollouts: Rollouts, tallies: Tallies, tell: Tell, actor: str) -> None:
        self._rollouts, self._tallies, self._tell, self._actor = rollouts, tallies, tell, actor

    def run(self, deadline: float) -> Iterator[str]:
        """Yields what was done; `deadline` is of time.monotonic. First all looks, since telling may take long.

        Continues after a failure; raises an ExceptionGroup of all failures at the end.
        """
        failures: list[Exception] = []
        open_ones = list(self._rollouts.open())
        for work in (self.look, self.tell):
            for model, number in open_ones:
                if time.monotonic() > deadline:
                    break
                try:
                    rollout = self._rollouts.indexed(model, number)
                    done = work(rollout) if rollout else None
                except Exception as error:
                    failures.append(error)
                    continue
                if done:
                    yield f"{model} {number}: {done}"
        if failures:
            raise ExceptionGroup("rollouts: not all", failures)

    def look(self, rollout: Rollout) -> str | None:
        """Returns the verdict and its reason; None if the rollout does not run, or another tick came first."""
        if rollout.status is not RolloutStatus.RUNNING:
            return None
        now = datetime.now(UTC)
        decision, seen = self._decided(rollout, now)
        seen = replace(seen, standing=decision.standing, decision=decision.at(canonical(now)))
        if decision.verdict is Verdict.HOLD:
            is_first = self._rollouts.looked(rollout, seen)
        elif decision.verdict is Verdict.PROMOTE:
            is_first = self._rollouts.promoted(rollout, seen, decision, self._actor)
        else:
            is_first = self._rollouts.guarded(rollout, seen, decision, self._actor)
        return f"{decision.verdict}: {decision.reason}" if is_first else None

    def tell(self, rollout: Rollout) -> str | None:
        """Events go out at least once, in their order. Raises ServiceUnavailable.

        Each is forgotten at once: an address that hangs may take longer than it is to the next tick.
        """
        about: dict[str, Any] = {
            "id": rollout.id,
            "model": rollout.model,
            "alias": rollout.plan.alias,
            "version": rollout.plan.version,
            "stable": rollout.stable,
        }
        for event in rollout.pending:
            count("".join(part.capitalize() for part in re.split(r"[._]", event["event"])))
            self._tell(STATE_CHANGE, about | dict(event), rollout.plan.notify)
            self._rollouts.told(replace(rollout, pending=(event,)))
        if not rollout.pending and not rollout.is_open:
            self._rollouts.told(rollout)
        return f"told {len(rollout.pending)} events" if rollout.pending else None

    def _decided(self, rollout: Rollout, now: datetime) -> tuple[Decision, Rollout]:
        """The decision, and the rollout with the counts of old minutes settled."""
        start, last = datetime.fromisoformat(rollout.counted_from), minute_of(now)
        settled_until = max(start, last - SETTLED)
        canary, stable = (
            before + since
            for before, since in zip(rollout.settled, self._counted(rollout, start, settled_until), strict=True)
        )
        seen = replace(rollout, settled=(canary, stable), counted_from=canonical(settled_until))
        fresh = self._counted(rollout, settled_until, last + MINUTE)
        step_is_over = (now - datetime.fromisoformat(rollout.step_started_at)).total_seconds() >= _least(rollout)
        decision = decide(
            rollout.plan.guards, rollout.standing, canary + fresh[0], stable + fresh[1], step_is_over=step_is_over
        )
        return decision, seen

    def _counted(self, rollout: Rollout, since: datetime, until: datetime) -> tuple[Tally, Tally]:
        """Of the canary and of the stable version."""
        if since >= until:
            return Tally(), Tally()
        plan = rollout.plan
        found = self._tallies(rollout.model, plan.alias, since, until, plan.guards.p95_ms)
        return found.get(plan.version, Tally()), found.get(rollout.stable, Tally())


def _least(rollout: Rollout) -> float:
    """Seconds that a step takes at least."""
    seconds = rollout.plan.minutes_per_step * 60
    return seconds - min(seconds * EARLY_SHARE, EARLY_SECONDS)
