"""Schemas of rollouts."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from maas.notices.webhook import check_notify
from maas.rollout import guard, rollout_records
from maas.rollout.rollout_records import (
    LEAST_MINUTES,
    LEAST_P95_MS,
    MOST_MINUTES,
    MOST_P95_MS,
    MOST_STEPS,
)
from maas.rollout.rollout_records import (
    Rollout as Stored,
)
from schemas.shared import EXAMPLE_LATER, EXAMPLE_TIME, AliasText, Body, VersionNumber, like, whole

_GUARDS = {"error_rate": 0.02, "p95_ms": 250.0, "shadow_mismatch": None, "min_requests": 100}
_TALLY = {"requests": 300, "errors": 15, "refused": 0, "slow": 9, "compared": 0, "mismatched": 0}
_ROLLOUT = {
    "id": 42,
    "model": "digits",
    "alias": "production",
    "version": 3,
    "stable": 2,
    "steps": [5, 25, 50, 100],
    "minutes_per_step": 10.0,
    "guards": _GUARDS,
    "on_breach": "rollback",
    "notify": None,
    "status": "RUNNING",
    "weight": 25,
    "breached": False,
    "decision": {
        "verdict": "hold",
        "reason": "the step's time is not over",
        "figures": {
            "canary": _TALLY,
            "stable": _TALLY,
            "step_requests": 300,
            "expected": {"errors": 4.2},
            "breached": [],
        },
        "at": EXAMPLE_LATER,
    },
    "actor": "key:0123456789abcdef",
    "created_at": EXAMPLE_TIME,
    "step_started_at": EXAMPLE_TIME,
    "updated_at": EXAMPLE_LATER,
}

Share = Annotated[float, Field(gt=0, lt=1, strict=True, allow_inf_nan=False)]
Weight = Annotated[int, Field(ge=1, le=rollout_records.WHOLE, strict=True), BeforeValidator(whole)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=1, le=10**9, strict=True), BeforeValidator(whole)]


class WantedGuards(Body):
    """Limits of the canary: the most of its requests that may fail with 5xx, the time that 95 % of them stay below, the
    most of its answers as a shadow that may differ. Errors, refusals (4xx) and slow requests are held against the
    stable version's too. A step waits until the canary had `min_requests` in it.
    """

    model_config = like(**_GUARDS)

    error_rate: Share | None = None
    p95_ms: Annotated[float, Field(ge=LEAST_P95_MS, le=MOST_P95_MS, strict=True)] | None = None
    shadow_mismatch: Share | None = None
    min_requests: Count = 100


class StartRollout(Body):
    """The version gets each of `steps`, in percent, of the alias's requests for `minutes_per_step`, if no guard is
    breached. `notify` is an https URL or the ARN of an SNS topic that is told of each step.
    """

    model_config = like(alias="production", version=3, steps=[5, 25, 50, 100], minutes_per_step=10, guards=_GUARDS)

    alias: AliasText
    version: VersionNumber
    steps: Annotated[tuple[Weight, ...], Field(min_length=2, max_length=MOST_STEPS)] = (5, 25, 50, 100)
    minutes_per_step: Annotated[float, Field(ge=LEAST_MINUTES, le=MOST_MINUTES, strict=True)] = 10
    guards: WantedGuards = WantedGuards()
    on_breach: Literal["rollback", "pause"] = "rollback"
    notify: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None

    def plan(self) -> rollout_records.Plan:
        """Raises InvalidRequest for an address that is not public."""
        return rollout_records.Plan(
            self.alias,
            self.version,
            self.steps,
            self.minutes_per_step,
            guard.Guards(**self.guards.model_dump()),
            self.on_breach,
            check_notify(self.notify),
        )


class Why(Body):
    model_config = like(reason="the nightly comparison differs")

    reason: Reason | None = None


class Breach(Body):
    model_config = like(reason="alarm checkout-errors is in ALARM")

    reason: Reason


class Guards(BaseModel):
    error_rate: float | None
    p95_ms: float | None
    shadow_mismatch: float | None
    min_requests: int


class Counted(BaseModel):
    """`errors` were answered with 5xx, `refused` with 4xx, `slow` took over `p95_ms` without loading the model."""

    requests: int
    errors: int
    refused: int
    slow: int
    compared: int
    mismatched: int


class Figures(BaseModel):
    """Of the canary and of the stable version since the rollout began; `step_requests` are the canary's in this step.

    `expected` is how many bad requests each test expects of the canary if it is no worse; `breached` names tests.
    """

    canary: Counted
    stable: Counted
    step_requests: int
    expected: dict[str, float]
    breached: list[str]


class Decision(BaseModel):
    """The last look at the figures: `promote`, `hold` or `breach`."""

    verdict: str
    reason: str
    figures: Figures
    at: str


class Rollout(BaseModel):
    """RUNNING or PAUSED; then SUCCEEDED, ROLLED_BACK (by a breach) or ABORTED. `weight` is the step's, in percent."""

    model_config = like(**_ROLLOUT)

    id: int
    model: str
    alias: str
    version: int
    stable: int
    steps: list[int]
    minutes_per_step: float
    guards: Guards
    on_breach: str
    notify: str | None
    status: str
    weight: int
    breached: bool
    decision: Decision | None
    actor: str
    created_at: str
    step_started_at: str
    updated_at: str

    @classmethod
    def of(cls, found: Stored) -> Self:
        plan: dict[str, Any] = {name: getattr(found.plan, name) for name in ("alias", "version", "on_breach", "notify")}
        same = ("id", "model", "stable", "weight", "breached", "actor", "created_at", "step_started_at", "updated_at")
        return cls(
            **plan,
            **{name: getattr(found, name) for name in same},
            steps=list(found.plan.steps),
            minutes_per_step=found.plan.minutes_per_step,
            guards=Guards.model_validate(found.plan.guards, from_attributes=True),
            status=found.status,
            decision=Decision.model_validate(found.decision) if found.decision else None,
        )


class Rollouts(BaseModel):
    model_config = like(rollouts=[_ROLLOUT], next_page_token=None)

    rollouts: list[Rollout]
    next_page_token: str | None
