"""A rollout and its looks on standard output."""

from typing import Any

from maas_client.cli.looks import Part, ago, row, say, show, spaced, styled, table_of
from maas_client.records.rollouts import Rollout

VERDICTS = {"promote": "green", "hold": "yellow", "breach": "bold red"}
_COUNTED = ("requests", "errors", "refused")


def show_rollout(found: Rollout) -> None:
    where = f"version {found.version} at {found.weight} %, version {found.stable} the rest"
    if not found.is_open:
        where = f"version {found.version if found.status == 'SUCCEEDED' else found.stable} serves all"
    begun = f"rollout {found.id}, begun {ago(found.created_at)} by {found.actor}"
    say(spaced((f"{found.model}@{found.alias}", "bold"), styled(found.status), where, (begun, "dim")))
    steps = " › ".join(str(step) for step in found.steps)
    unit = "minute" if found.minutes_per_step == 1 else "minutes"
    say(f"steps {steps} %, {found.minutes_per_step:g} {unit} each; {_limits(found)}; on a breach: {found.on_breach}")
    if found.decision:
        _show_figures(found)
        say(*_look(found), (f"  {ago(found.decision.at)}", "dim"))


def show_look(found: Rollout) -> None:
    """One line for each look, for `--watch`."""
    say(spaced(styled(found.status), f"{found.weight} %", _in_short(found)), "  ", *_look(found))


def _look(found: Rollout) -> tuple[Part, ...]:
    if found.decision is None:
        return ()
    return (found.decision.verdict, VERDICTS.get(found.decision.verdict, "")), f": {found.decision.reason}"


def _limits(found: Rollout) -> str:
    guards = found.guards
    limits = {
        "errors up to": _share(guards.error_rate),
        "p95 below": None if guards.p95_ms is None else f"{guards.p95_ms:g} ms",
        "differing answers up to": _share(guards.shadow_mismatch),
    }
    told = [f"{name} {limit}" for name, limit in limits.items() if limit]
    return ", ".join([*told, f"{guards.min_requests} requests a step"])


def _show_figures(found: Rollout) -> None:
    guards = found.guards
    names = (*_COUNTED, *(("slow",) if guards.p95_ms else ()))
    names += ("compared", "mismatched") if guards.shadow_mismatch else ()
    table = table_of("", *names)
    for name, version in (("canary", found.version), ("stable", found.stable)):
        counted = _counted(found, name)
        row(table, f"{name}, version {version}", *(_figure(one, counted) for one in names))
    show(table)


def _figure(name: str, counted: dict[str, Any]) -> str:
    count, of = counted.get(name, 0), counted.get("compared" if name == "mismatched" else "requests", 0)
    return f"{count:,}" if name in ("requests", "compared") or not of else f"{count:,} ({count / of:.2%})"


def _in_short(found: Rollout) -> str:
    """'canary 300 requests, 15 errors; stable 2,700 requests, 27 errors'."""
    told = [(name, _counted(found, name)) for name in ("canary", "stable")]
    return "; ".join(
        f"{name} {one.get('requests', 0):,} requests, {one.get('errors', 0):,} errors" for name, one in told
    )


def _counted(found: Rollout, name: str) -> dict[str, Any]:
    counted = found.decision.figures.get(name) if found.decision else None
    whole = counted if isinstance(counted, dict) else {}
    return {key: value for key, value in whole.items() if isinstance(value, int)}


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.2%}"
