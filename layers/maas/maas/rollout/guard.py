"""Whether a canary goes on, waits or goes back: one rule, told what was counted, without a clock or any state.

Each guard is a test of its own; all of them together take back a canary that is no worse than the stable version, and
within its limits, in at most OVERALL of all rollouts: however many looks there are, over all steps. The reasons for
this rule, and its figures, are in docs/adr/0026-a-rollout-is-judged-by-exact-tests.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from maas.records.rows import Row, known, row_of
from maas.rollout.exact_counts import Counts, against_limit, against_stable
from maas.rollout.sequential import SequentialTest

OVERALL = 0.01  # of all rollouts of a version that is no worse than the stable one may go back
OTHERS = 0.0001  # of it, each test but that of errors against stable: they have many more bad requests to tell by
SLOW_SHARE = 0.05  # of the requests may take longer than `p95_ms`
ERRORS, REFUSED, ERROR_RATE = "errors", "refused", "error_rate"
SLOWER, P95, SHADOW = "slower", "p95_ms", "shadow_mismatch"


class Verdict(StrEnum):
    PROMOTE = "promote"
    HOLD = "hold"
    BREACH = "breach"


@dataclass(frozen=True, slots=True)
class Guards(Row):
    """Limits of the canary: shares in (0, 1), None where there is none. Errors and refusals are held against the stable
    version's without any.

    `min_requests` of the canary in each step, and of the stable version in all, are needed to go on.
    """

    error_rate: float | None = None
    p95_ms: float | None = None
    shadow_mismatch: float | None = None
    min_requests: int = 100


@dataclass(frozen=True, slots=True)
class Tally(Row):
    """What was counted of a version: `errors` are answers of 5xx, `refused` of 4xx, `slow` ones took over `p95_ms`.

    As a shadow, `mismatched` of `compared` answers differ.
    """

    requests: int = 0
    errors: int = 0
    refused: int = 0
    slow: int = 0
    compared: int = 0
    mismatched: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(mine + its for mine, its in zip(self._all(), other._all(), strict=True)))

    def __neg__(self) -> "Tally":
        return Tally(*(-one for one in self._all()))

    def since(self, earlier: "Tally") -> "Tally":
        """What came since; nothing where fewer are counted now, as after rows have expired."""
        requests, errors, refused, slow, compared, mismatched = (
            max(0, mine - its) for mine, its in zip(self._all(), earlier._all(), strict=True)
        )
        errors, refused, slow = (min(one, requests) for one in (errors, refused, slow))
        return Tally(requests, errors, refused, slow, compared, min(mismatched, compared))

    def _all(self) -> tuple[int, ...]:
        return self.requests, self.errors, self.refused, self.slow, self.compared, self.mismatched


@dataclass(frozen=True, slots=True)
class Standing(Row):
    """What the looks so far leave: what was counted by the last one since the rollout began, and the tests.

    `step_from` is how many requests of the canary came before the step.
    """

    canary: Tally = field(default_factory=Tally)
    stable: Tally = field(default_factory=Tally)
    step_from: int = 0
    tests: Mapping[str, SequentialTest] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        tests = {name: SequentialTest.of(test) for name, test in fields["tests"].items()}
        counted = {name: Tally.of(fields[name]) for name in ("canary", "stable")}
        return cls(**(known(cls, fields) | counted | {"tests": tests}))

    def at_next_step(self) -> Self:
        return replace(self, step_from=self.canary.requests)


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    reason: str
    figures: dict[str, Any]
    standing: Standing

    def at(self, time: str) -> dict[str, Any]:
        """As a rollout keeps it."""
        return {"verdict": str(self.verdict), "reason": self.reason, "figures": self.figures, "at": time}


def decide(guards: Guards, standing: Standing, canary: Tally, stable: Tally, *, step_is_over: bool) -> Decision:
    """One look. `canary` and `stable`: all that was counted over the same minutes since the rollout began."""
    fresh, fresh_stable = canary.since(standing.canary), stable.since(standing.stable)
    looked_at = dict(_looks(guards, fresh, fresh_stable))
    tests: dict[str, SequentialTest] = {}
    for name, (expected, bad) in looked_at.items():
        budget = OVERALL - OTHERS * (len(looked_at) - 1) if name == ERRORS else OTHERS
        tests[name] = standing.tests.get(name, SequentialTest()).look(expected, bad, budget)
    now = Standing(standing.canary + fresh, standing.stable + fresh_stable, standing.step_from, tests)
    verdict, reason = _verdict(guards, now, step_is_over)
    figures = {
        "canary": row_of(now.canary),
        "stable": row_of(now.stable),
        "step_requests": now.canary.requests - now.step_from,
        "expected": {name: round(test.expected, 2) for name, test in tests.items()},
        "breached": [name for name, test in tests.items() if test.crossed],
    }
    return Decision(verdict, reason, figures, now)


def breached(guards: Guards, standing: Standing, reason: str) -> Decision:
    """A breach that was reported from outside, with the figures of the last look."""
    last = decide(guards, standing, standing.canary, standing.stable, step_is_over=False)
    return replace(last, verdict=Verdict.BREACH, reason=reason, standing=standing)


def _looks(guards: Guards, canary: Tally, stable: Tally) -> Iterator[tuple[str, tuple[Counts, int]]]:
    """For each test: what would be expected of the canary, were it no worse, and what came."""
    requests = canary.requests, stable.requests
    yield ERRORS, (against_stable(*requests, canary.errors + stable.errors), canary.errors)
    yield REFUSED, (against_stable(*requests, canary.refused + stable.refused), canary.refused)
    if guards.error_rate is not None:
        yield ERROR_RATE, (against_limit(canary.requests, guards.error_rate), canary.errors)
    if guards.p95_ms is not None:
        yield SLOWER, (against_stable(*requests, canary.slow + stable.slow), canary.slow)
        yield P95, (against_limit(canary.requests, SLOW_SHARE), canary.slow)
    if guards.shadow_mismatch is not None:
        yield SHADOW, (against_limit(canary.compared, guards.shadow_mismatch), canary.mismatched)


def _verdict(guards: Guards, now: Standing, step_is_over: bool) -> tuple[Verdict, str]:
    crossed = next((name for name, test in now.tests.items() if test.crossed), None)
    if crossed:
        return Verdict.BREACH, _breach(guards, now, crossed)
    came, wanted = now.canary.requests - now.step_from, guards.min_requests
    if not step_is_over:
        return Verdict.HOLD, "the step's time is not over"
    if came < wanted:
        return Verdict.HOLD, f"the canary had {came} requests in this step, min_requests is {wanted}"
    if now.stable.requests < wanted:
        return Verdict.HOLD, f"the stable version had {now.stable.requests} requests, min_requests is {wanted}"
    if guards.shadow_mismatch is not None and now.canary.compared < wanted:
        return Verdict.HOLD, f"the shadow compared {now.canary.compared} requests, min_requests is {wanted}"
    return Verdict.PROMOTE, f"no guard is breached after {came} requests of the canary in this step"


def _breach(guards: Guards, now: Standing, test: str) -> str:
    canary, stable = now.canary, now.stable
    expected = f"{now.tests[test].expected:.1f} expected"
    if test == SHADOW:
        share = _share(canary.mismatched, canary.compared)
        return f"shadow_mismatch: {share} differ, {expected} at most at a limit of {guards.shadow_mismatch:.2%}"
    what, its, theirs = "failed", canary.errors, stable.errors
    if test == REFUSED:
        what, its, theirs = "were refused", canary.refused, stable.refused
    if test in (SLOWER, P95):
        what, its, theirs = f"took over {guards.p95_ms:g} ms", canary.slow, stable.slow
    found = f"{test}: {_share(its, canary.requests)} of the canary {what}"
    if test in (ERRORS, REFUSED, SLOWER):
        return f"{found}, {_share(theirs, stable.requests)} of the stable version, {expected} were they alike"
    return f"{found}, {expected} at a limit of {guards.error_rate if test == ERROR_RATE else SLOW_SHARE:.2%}"


def _share(bad: int, requests: int) -> str:
    return f"{bad} of {requests} requests ({bad / requests if requests else 0:.2%})"
