"""Rollouts with traffic drawn at random, judged by the rule of the service: how often it errs, how soon it sees.

A look a minute, and requests, errors and the canary's share as chance has them.
"""

import time
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure
from maas.rollout.guard import OVERALL, Guards, Standing, Tally, Verdict, decide

STEPS, MINUTES = (0.05, 0.25, 0.5), 10  # and then all
RATES, BASES = (1, 10, 1000), (0.0, 0.001, 0.01, 0.05)
ERRORS_ALONE = Guards()
ALL = Guards(error_rate=0.1, p95_ms=100, shadow_mismatch=0.05)


@dataclass(frozen=True)
class Traffic:
    """`rate` requests a second; the shares of them that fail and are slow, of the stable version and of the canary."""

    rate: float
    fails: tuple[float, float] = (0.0, 0.0)
    slow: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Run:
    """The look at which the guard saw a breach, 0 if none; what its tests spent of their chance to err by the end."""

    breached_at: int
    spent: float


def simulate(traffic: Traffic, shares: tuple[float, ...], looks: int, seed: int, guards: Guards = ERRORS_ALONE) -> Run:
    """One rollout with `looks` in each step."""
    draw = np.random.default_rng(seed)
    standing, canary, stable, breached_at = Standing(), Tally(), Tally(), 0
    for look, share in enumerate(np.repeat(shares, looks), 1):
        requests = draw.poisson(traffic.rate * 60)
        on_canary = draw.binomial(requests, share)
        stable += _counted(draw, requests - on_canary, traffic.fails[0], traffic.slow[0])
        canary += _counted(draw, on_canary, traffic.fails[1], traffic.slow[1])
        decision = decide(guards, standing, canary, stable, step_is_over=False)
        standing = decision.standing
        if decision.verdict is Verdict.BREACH and not breached_at:
            breached_at = look
    return Run(breached_at, sum(test.spent for test in standing.tests.values()))


def _counted(draw: np.random.Generator, requests: int, failing: float, slow: float) -> Tally:
    return Tally(int(requests), int(draw.binomial(requests, failing)), slow=int(draw.binomial(requests, slow)))


def measure() -> list[Figure]:
    return [_false_ones(250), _found(20_000), _found_of_all(20_000), *_found_late(200)]


def _false_ones(each: int) -> Figure:
    """The canary is the stable version under another number."""
    started, errors, seed = time.process_time(), {}, 0
    for rate in RATES:
        for base in BASES:
            runs = [simulate(Traffic(rate, (base, base)), STEPS, MINUTES, seed + run) for run in range(each)]
            errors[rate, base] = [
                float(np.mean([run.spent for run in runs])),
                sum(bool(run.breached_at) for run in runs),
            ]
            seed += each
    total = each * len(errors)
    look_ms = (time.process_time() - started) * 1000 / (total * len(STEPS) * MINUTES)
    worst = max(chance for chance, _ in errors.values())
    seen = sum(count for _, count in errors.values())
    note = f"the worst of {len(errors)}: {_told(errors)}; taken back were {seen} of {total:,}"
    return Figure(
        "rollouts of an equal version taken back",
        look_ms,
        "none",
        0,
        worst * 100,
        " %",
        OVERALL * 100,
        note=note,
        exact=True,
    )


def _told(errors: dict[tuple[float, float], list[float]]) -> str:
    return ", ".join(f"{rate:g}/s {base:.1%} {chance:.2%}" for (rate, base), (chance, _) in errors.items())


def _found(runs: int) -> Figure:
    found = _share(runs, Traffic(10, (0.01, 0.05)), (0.1,), 5)
    what = "1 % to 5 % of errors, 10 requests/s, 10 % of them on the canary: seen in 5 minutes"
    return Figure(what, 0, "none", 0, found, " %", floor=95, note=f"{runs:,} rollouts", exact=True)


def _found_of_all(runs: int) -> Figure:
    found = _share(runs, Traffic(10, (0.01, 0.05)), (0.1,), 5, ALL)
    return Figure("the same, with every guard", 0, "none", 0, found, " %", note=f"{runs:,} rollouts")


def _found_late(runs: int) -> list[Figure]:
    """What is less than that takes longer, or more requests."""
    cases = {
        "1 % to 2 % of errors, 10 requests/s": Traffic(10, (0.01, 0.02)),
        "1 % to 2 % of errors, 100 requests/s": Traffic(100, (0.01, 0.02)),
        "1 % to 5 % of errors, 1 request/s": Traffic(1, (0.01, 0.05)),
        "0 to 1 % of errors, 10 requests/s": Traffic(10, (0.0, 0.01)),
        "3 % to 10 % over p95_ms, 10 requests/s": Traffic(10, slow=(0.03, 0.1)),
    }
    return [
        Figure(f"{name}: seen before 100 %", 0, "none", 0, _share(runs, traffic, STEPS, MINUTES, ALL), " %")
        for name, traffic in cases.items()
    ]


def _share(runs: int, traffic: Traffic, shares: tuple[float, ...], looks: int, guards: Guards = ERRORS_ALONE) -> float:
    """In per cent."""
    seen = [simulate(traffic, shares, looks, seed, guards).breached_at for seed in range(runs)]
    return float(np.mean([bool(look) for look in seen])) * 100
