"""What a step of a rollout changes: the alias, the rollout's row, and the history entry, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maas.aws.writes import Put, Write
from maas.errors import NotFound
from maas.records import RegisteredModel
from maas.records.aliases import WHOLE, Alias, Route, Routes, routes_of, rows_of, whole
from maas.registry.routing import changed, shown
from maas.registry.state import table_rows
from maas.registry.state.changes import Change
from maas.registry.state.ledger import Ledger
from maas.rollout.rollout_records import Rollout, RolloutStatus

ALIAS_ROLLED_BACK = "the alias was rolled back"


def stored(ledger: Ledger, model: str, number: int) -> Rollout:
    """Raises NotFound."""
    row = ledger.table.get(table_rows.rollout_key(model, number))
    if row is None:
        raise NotFound("rollout", str(number), of=model)
    return Rollout.of(row)


def aborted(ledger: Ledger, owner: RegisteredModel, number: int, now: str, actor: str) -> Change:
    """The end of a rollout whose alias is rolled back."""
    rollout = stored(ledger, owner.name, number)
    return Move(owner, rollout, now, actor, ALIAS_ROLLED_BACK).taken_back(rollout, RolloutStatus.ABORTED)


def previous_of(alias: Alias) -> dict[str, Any]:
    """Where the alias's rollback leads, for `Move.taken_back`."""
    return {"version": alias.previous_version, "routes": rows_of(alias.previous_routes)}


@dataclass(frozen=True, slots=True)
class Move:
    """Who or what moves a rollout on, when and why; `was` is the rollout as stored, None for a new one."""

    owner: RegisteredModel
    was: Rollout | None
    now: str
    actor: str
    reason: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    def stepped(self, new: Rollout) -> Change:
        """`new` is at its first or next step; at the last one the rollout has succeeded."""
        moved = changed(self.owner.aliases[new.plan.alias], _shares(new), None, self.now, self.owner.revision + 1)
        moved = replace(moved, previous_version=new.stable, previous_routes=(), rollout=new.id)
        if new.weight < WHOLE:
            return self._change("rollout.promoted" if self.was else "rollout.started", new, moved)
        return self._change(
            "rollout.succeeded", replace(new, status=RolloutStatus.SUCCEEDED), replace(moved, rollout=None)
        )

    def kept(self, kind: str, new: Rollout) -> Change:
        """The alias stays as it is."""
        return self._change(kind, new, self.owner.aliases[new.plan.alias])

    def taken_back(self, was: Rollout, status: RolloutStatus) -> Change:
        """The alias is as it was before the rollout."""
        old = self.owner.aliases[was.plan.alias]
        back = changed(old, whole(was.stable), None, self.now, self.owner.revision + 1)
        previous = was.previous["version"], routes_of(was.previous["routes"])
        back = replace(back, previous_version=previous[0], previous_routes=previous[1], rollout=None)
        kind = "rollout.aborted" if status is RolloutStatus.ABORTED else "rollout.rolled_back"
        return self._change(kind, replace(was, status=status), back)

    def _change(self, kind: str, new: Rollout, alias: Alias) -> Change:
        """The row's own revision keeps the looks of a tick and the changes of callers apart."""
        told: dict[str, Any] = {"rollout": new.id, "status": str(new.status), "weight": new.weight}
        told |= {"reason": self.reason, "figures": dict(self.figures)} if self.reason else {}
        new = new.telling({"event": kind, "actor": self.actor, "at": self.now, **told})
        was = self.was.revision if self.was else None
        new = replace(new, updated_at=self.now, revision=(was or 0) + 1)
        also: list[Write] = [Put(table_rows.rollout_key(new.model, new.id), new.row(), was)]
        if was is None:
            also.append(Put(table_rows.open_rollout_key(new.model, new.id), {"model": new.model, "id": new.id}, None))
        name = new.plan.alias
        before, after = shown(self.owner.aliases[name]), shown(alias) | told
        return Change(
            kind, self.owner.with_alias(name, alias), alias=name, before=before, after=after, also=tuple(also)
        )


def _shares(rollout: Rollout) -> Routes:
    """The newer version first, as an alias has them."""
    if rollout.weight == WHOLE:
        return whole(rollout.plan.version)
    routes = Route(rollout.plan.version, rollout.weight), Route(rollout.stable, WHOLE - rollout.weight)
    return tuple(sorted(routes, key=lambda route: -route.version))
