"""Aliases: set, rolled back, deleted, and where each led at a given time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from maas.errors import Conflict, NotFound, NotReady
from maas.names import check_alias, check_sticky
from maas.records import RegisteredModel, Status
from maas.records.aliases import Alias, Route, Routes, routes_of, whole
from maas.records.samples import Capture, Shadow
from maas.registry.routing import changed, check_unmoved, checked_routes, shown
from maas.registry.state import table_rows
from maas.registry.state.changes import Change
from maas.registry.state.ledger import Ledger, check_etag
from maas.times import canonical

MAX_ALIASES = 100  # all are stored in the model's row, and again in a timeline row at each change
Target = int | Sequence[Route] | None  # a version; routes; or what the alias has


class Given(TypedDict, total=False):
    """What a change says of an alias's samples."""

    shadow: Shadow | None
    capture: Capture | None


NOTHING_GIVEN: Given = {}


class Aliases:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, model: str, alias: str) -> Alias:
        """Raises NotFound, Gone."""
        return _existing(self._ledger.model(model), alias)

    def set(
        self,
        model: str,
        alias: str,
        target: Target,
        actor: str,
        if_match: str | None = None,
        *,
        sticky: str | None = None,
        samples: Given = NOTHING_GIVEN,
    ) -> Alias:
        """Create the alias or change where it leads, to READY versions. `sticky` None stays as it is.

        `samples` has the `shadow` and `capture` to set; None removes one, and one that is not there stays as it is.
        Raises NotFound, Gone, NotReady, InvalidRequest, Conflict, PreconditionFailed.
        """
        check_alias(alias)
        if sticky is not None:
            check_sticky(sticky)
        wanted = _shares(target)

        def decide(owner: RegisteredModel, now: str) -> Change | None:
            old = owner.aliases.get(alias) if wanted else _existing(owner, alias)
            if if_match is not None:
                check_etag(if_match, _existing(owner, alias).etag, (model, alias, old))
            check_unmoved(model, alias, old)
            shares = wanted or _existing(owner, alias).shares
            shadow = samples.get("shadow")
            self._check_ready(model, [*(route.version for route in wanted), *([shadow.version] if shadow else [])])
            stays = old is not None and all(getattr(old, name) == one for name, one in samples.items())
            if old and old.shares == shares and sticky in (None, old.sticky) and stays:
                return None
            if not old and len(owner.aliases) >= MAX_ALIASES:
                raise Conflict(f"model '{model}' has {MAX_ALIASES} aliases, the maximum", field="alias")
            return _moved(owner, alias, shares, "alias.set", now, sticky, samples)

        return self._change(model, alias, decide, actor)

    def rollback(self, model: str, alias: str, actor: str, if_match: str | None = None) -> Alias:
        """Give the alias the routes it had before their last change; a second rollback undoes the first.

        An open rollout of the alias is aborted with it.

        Raises as `set` does.
        """

        def decide(owner: RegisteredModel, now: str) -> Change:
            old = _existing(owner, alias)
            check_etag(if_match, old.etag, (model, alias, old))
            if old.rollout:
                from maas.registry import rollout_changes  # not needed for a cold start of inference

                return rollout_changes.aborted(self._ledger, owner, old.rollout, now, actor)
            if not old.previous_shares:
                raise Conflict(f"alias '{alias}' of model '{model}' has no previous version to roll back to")
            self._check_ready(model, [route.version for route in old.previous_shares])
            return _moved(owner, alias, old.previous_shares, "alias.rolled_back", now)

        return self._change(model, alias, decide, actor)

    def delete(self, model: str, alias: str, actor: str, if_match: str | None = None) -> None:
        """Raises NotFound, Gone, PreconditionFailed, Contended, Conflict while a rollout moves the alias."""

        def decide(owner: RegisteredModel, _: str) -> Change:
            old = _existing(owner, alias)
            check_etag(if_match, old.etag, (model, alias, old))
            check_unmoved(model, alias, old)
            return Change("alias.deleted", owner.with_alias(alias, None), alias=alias, before=shown(old))

        self._ledger.change(model, decide, actor)

    def routes_at(self, model: str, alias: str, at: datetime) -> Routes:
        """Where the alias led at that time; empty if it did not exist or the model was deleted.

        Also works for models that are deleted or purged now. Raises NotFound.
        """
        if self._ledger.row(model) is None:
            raise NotFound("model", model)
        then = self._ledger.table.last(table_rows.partition(model), table_rows.TIMELINE, canonical(at))
        served = (then["aliases"] if then else None) or {}
        found = served.get(alias)
        if found is None:
            return ()
        return whole(found) if isinstance(found, int) else routes_of(found)

    def _check_ready(self, model: str, numbers: Iterable[int]) -> None:
        for number in dict.fromkeys(numbers):
            version = self._ledger.version(model, number)
            if version.status is not Status.READY:
                raise NotReady(model, number, version.status, version.status_reason)

    def _change(
        self, model: str, alias: str, decide: Callable[[RegisteredModel, str], Change | None], actor: str
    ) -> Alias:
        change = self._ledger.change(model, decide, actor)
        return change.model.aliases[alias] if change else self.get(model, alias)


def _shares(target: Target) -> Routes:
    if target is None:
        return ()
    return whole(target) if isinstance(target, int) else checked_routes(target)


def _existing(owner: RegisteredModel, alias: str) -> Alias:
    found = owner.aliases.get(alias)
    if found is None:
        raise NotFound("alias", alias, of=owner.name)
    return found


def _moved(
    owner: RegisteredModel,
    alias: str,
    shares: Routes,
    kind: str,
    now: str,
    sticky: str | None = None,
    samples: Given = NOTHING_GIVEN,
) -> Change:
    old = owner.aliases.get(alias)
    new = replace(changed(old, shares, sticky, now, owner.revision + 1), **samples)
    before = shown(old) if old else None
    return Change(kind, owner.with_alias(alias, new), alias=alias, before=before, after=shown(new))
