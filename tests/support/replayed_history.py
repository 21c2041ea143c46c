"""The state of a model as its history entries tell it: each has to be possible after those before it."""

from dataclasses import dataclass, field, replace
from typing import Any

from maas.records import HistoryEntry
from maas.records.aliases import Alias, Routes, main_version, routes_of, whole


@dataclass
class Replayed:
    """`apply` raises AssertionError for an entry that cannot follow."""

    last_version: int = 0
    aliases: dict[str, Alias] = field(default_factory=dict)
    deleted: bool = False
    deleted_versions: set[int] = field(default_factory=set)
    started: dict[str, Alias] = field(default_factory=dict)  # what the alias was before its rollout

    def apply(self, entry: HistoryEntry) -> None:
        match entry.kind:
            case "version.created":
                assert entry.version == self.last_version + 1
                self.last_version = entry.version
            case "alias.set" | "alias.rolled_back":
                assert entry.alias
                assert entry.after
                old, new = self.aliases.get(entry.alias), _alias(entry.after)
                assert old is None or old.rollout is None
                assert (_alias(entry.before) if entry.before else None) == (old and _shown(old))
                assert not {route.version for route in new.shares} & self.deleted_versions
                assert sum(route.weight for route in new.shares) == 100
                if entry.kind == "alias.rolled_back":
                    assert old
                    assert (new.shares, new.sticky) == (old.previous_shares, old.sticky)
                self.aliases[entry.alias] = _following(old, new)
            case "rollout.paused" | "rollout.resumed":
                assert entry.alias and entry.after
                assert self.aliases[entry.alias].rollout == entry.after["rollout"]
            case kind if kind.startswith("rollout."):
                self._roll(entry)
            case "version.deleted":
                assert entry.version
                self._leave(entry)
                self.deleted_versions.add(entry.version)
            case "version.restored":
                assert entry.version
                self.deleted_versions.remove(entry.version)
            case "model.deleted" | "model.restored":
                assert self.deleted == (entry.kind == "model.restored")
                self.deleted = not self.deleted
        if entry.kind not in ("model.restored", "model.created", "version.validating", "version.ready"):
            assert not self.deleted or entry.kind == "model.deleted"

    def _roll(self, entry: HistoryEntry) -> None:
        """The alias moves, and its rollback leads to the stable version until it is back where it was."""
        assert entry.alias and entry.before and entry.after
        old, new, number = self.aliases[entry.alias], _alias(entry.after), entry.after["rollout"]
        assert _alias(entry.before) == _shown(old)
        assert not {route.version for route in new.shares} & self.deleted_versions
        assert entry.after["status"] in ("RUNNING", "SUCCEEDED", "ROLLED_BACK", "ABORTED")
        if entry.kind == "rollout.started":
            assert old.rollout is None and not old.routes and number == entry.revision
            self.started[entry.alias] = old
        before = self.started[entry.alias]
        new = replace(new, previous_version=before.version, previous_routes=())
        if entry.kind in ("rollout.rolled_back", "rollout.aborted"):
            assert new.shares == before.shares
            previous = before.previous_version, before.previous_routes
            new = replace(new, previous_version=previous[0], previous_routes=previous[1])
        if entry.after["status"] == "RUNNING":
            new = replace(new, rollout=number)
        self.aliases[entry.alias] = new

    def _leave(self, entry: HistoryEntry) -> None:
        """The aliases lose their route to the deleted version."""
        for name, old in [*self.aliases.items()]:
            left = [route for route in old.shares if route.version != entry.version]
            if not left:
                assert name in (entry.before or {})["aliases"]
                del self.aliases[name]
            elif len(left) < len(old.shares):
                assert routes_of((entry.before or {})["routes"][name]) == old.shares
                shares = routes_of((entry.after or {})["routes"][name])
                assert [route.version for route in shares] == [route.version for route in left]
                assert sum(route.weight for route in shares) == 100
                self.aliases[name] = _following(old, _with(shares, old.sticky))


def _with(shares: Routes, sticky: str) -> Alias:
    return Alias(main_version(shares), "", 0, routes=shares if len(shares) > 1 else (), sticky=sticky)


def _alias(shown: dict[str, Any]) -> Alias:
    """The alias that a history entry shows, without what led there."""
    shares = routes_of(shown["routes"]) if "routes" in shown else whole(shown["version"])
    alias = _with(shares, shown.get("sticky", "none"))
    assert alias.version == shown["version"]
    return alias


def _shown(alias: Alias) -> Alias:
    return _with(alias.shares, alias.sticky)


def _following(old: Alias | None, new: Alias) -> Alias:
    """`new` with where a rollback leads."""
    if old is None:
        return new
    was = old if old.shares != new.shares else None
    version, routes = (was.version, was.routes) if was else (old.previous_version, old.previous_routes)
    return replace(new, previous_version=version, previous_routes=routes)
