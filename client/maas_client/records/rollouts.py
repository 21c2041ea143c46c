"""Rollouts, as frozen dataclasses. Times are RFC 3339, in UTC."""

from dataclasses import dataclass, field
from typing import Any

OPEN = ("RUNNING", "PAUSED")


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutGuards:
    """Limits of the canary: shares of its requests, and the time that 95 % of them stay below; None where none is.

    >>> maas.rollouts.start("digits", "production", 2, p95_ms=250.5).guards.p95_ms
    250.5
    """

    error_rate: float | None = None
    p95_ms: float | None = None
    shadow_mismatch: float | None = None
    min_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutDecision:
    """The last look: `verdict` is "promote", "hold" or "breach". `figures` has the counts of both versions.

    >>> maas.rollouts.start("digits", "production", 2).decision is None
    True
    """

    verdict: str
    reason: str
    figures: dict[str, Any] = field(default_factory=dict)
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`version` gets `weight` percent of the alias's requests, `stable` the others.

    RUNNING or PAUSED; then SUCCEEDED, ROLLED_BACK (by a breach) or ABORTED. `breached`: a breach has paused it.

    >>> started = maas.rollouts.start("digits", "production", 2, steps=[10, 100])
    >>> started.status, started.weight, started.stable
    ('RUNNING', 10, 1)
    """

    id: int
    model: str
    alias: str
    version: int
    stable: int
    steps: tuple[int, ...]
    minutes_per_step: float
    guards: RolloutGuards
    on_breach: str
    notify: str | None = None
    status: str
    weight: int
    breached: bool = False
    decision: RolloutDecision | None = None
    actor: str
    created_at: str
    step_started_at: str
    updated_at: str

    @property
    def is_open(self) -> bool:
        return self.status in OPEN
