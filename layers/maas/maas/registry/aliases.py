"""Aliases: set, rolled back, deleted, and the version each pointed to at a given time."""

from collections.abc import Callable
from datetime import datetime

from maas.errors import Conflict, NotFound, NotReady
from maas.names import check_alias
from maas.records import Alias, RegisteredModel, Status
from maas.registry import table_rows
from maas.registry.ledger import Change, Ledger, check_etag
from maas.times import canonical

MAX_ALIASES = 100  # all are stored in the model's row, and again in a timeline row at each change


class Aliases:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, model: str, alias: str) -> Alias:
        """Raises NotFound, Gone."""
        return _existing(self._ledger.model(model), alias)

    def set(self, model: str, alias: str, number: int, actor: str, if_match: str | None = None) -> Alias:
        """Create the alias or move it to a READY version.

        Raises NotFound, Gone, NotReady, InvalidRequest, Conflict, PreconditionFailed.
        """
        check_alias(alias)

        def decide(owner: RegisteredModel, now: str) -> Change | None:
            old = owner.aliases.get(alias)
            if if_match is not None:
                check_etag(if_match, _existing(owner, alias).etag, (model, alias, old))
            self._check_ready(model, number)
            if old and old.version == number:
                return None
            if not old and len(owner.aliases) >= MAX_ALIASES:
                raise Conflict(f"model '{model}' has {MAX_ALIASES} aliases, the maximum", field="alias")
            return _moved(owner, alias, old, number, "alias.set", now)

        return self._change(model, alias, decide, actor)

    def rollback(self, model: str, alias: str, actor: str, if_match: str | None = None) -> Alias:
        """Move the alias back to its previous version; a second rollback undoes the first. Raises as `set` does."""

        def decide(owner: RegisteredModel, now: str) -> Change:
            old = _existing(owner, alias)
            check_etag(if_match, old.etag, (model, alias, old))
            if old.previous_version is None:
                raise Conflict(f"alias '{alias}' of model '{model}' has no previous version to roll back to")
            self._check_ready(model, old.previous_version)
            return _moved(owner, alias, old, old.previous_version, "alias.rolled_back", now)

        return self._change(model, alias, decide, actor)

    def delete(self, model: str, alias: str, actor: str, if_match: str | None = None) -> None:
        """Raises NotFound, Gone, PreconditionFailed, Contended."""

        def decide(owner: RegisteredModel, _: str) -> Change:
            old = _existing(owner, alias)
            check_etag(if_match, old.etag, (model, alias, old))
            return Change(
                "alias.deleted",
                owner.with_alias(alias, None),
                alias=alias,
                before={"version": old.version},
            )

        self._ledger.change(model, decide, actor)

    def version_at(self, model: str, alias: str, at: datetime) -> int | None:
        """The version the alias pointed to at that time; None if it did not exist or the model was deleted.

        Also works for models that are deleted or purged now. Raises NotFound.
        """
        if self._ledger.row(model) is None:
            raise NotFound("model", model)
        then = self._ledger.table.last(table_rows.partition(model), table_rows.TIMELINE, canonical(at))
        served = then["aliases"] if then else None
        return served.get(alias) if served else None

    def _check_ready(self, model: str, number: int) -> None:
        version = self._ledger.version(model, number)
        if version.status is not Status.READY:
            raise NotReady(model, number, version.status, version.status_reason)

    def _change(
        self, model: str, alias: str, decide: Callable[[RegisteredModel, str], Change | None], actor: str
    ) -> Alias:
        change = self._ledger.change(model, decide, actor)
        return change.model.aliases[alias] if change else self.get(model, alias)


def _existing(owner: RegisteredModel, alias: str) -> Alias:
    found = owner.aliases.get(alias)
    if found is None:
        raise NotFound("alias", alias, of=owner.name)
    return found


def _moved(owner: RegisteredModel, alias: str, old: Alias | None, number: int, kind: str, now: str) -> Change:
    new = Alias(number, now, owner.revision + 1, old.version if old else None)
    return Change(
        kind,
        owner.with_alias(alias, new),
        alias=alias,
        before={"version": old.version} if old else None,
        after={"version": number},
    )
