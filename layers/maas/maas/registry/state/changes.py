"""A decided change of a model, and what its transaction writes."""

from dataclasses import dataclass, replace
from typing import Any

from maas.aws.writes import Put, Write
from maas.records import HistoryEntry, ModelVersion, RegisteredModel, fields_of
from maas.records.aliases import rows_of
from maas.registry.state import table_rows


@dataclass(frozen=True, slots=True)
class Change:
    """A decided change: the new model, the version concerned (new and old), and what the history entry says.

    `also` are further writes of the same transaction.
    """

    kind: str
    model: RegisteredModel
    version: ModelVersion | None = None
    version_was: ModelVersion | None = None
    alias: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    also: tuple[Write, ...] = ()


def stamped(change: Change, revision: int, now: str) -> Change:
    return replace(
        change,
        model=replace(change.model, revision=revision, updated_at=now),
        version=replace(change.version, revision=revision, updated_at=now) if change.version else None,
    )


def writes(was: RegisteredModel | None, change: Change, actor: str) -> list[Write]:
    """All writes of the transaction: model, history entry, version, timeline row if aliases changed, `also`."""
    model, version = change.model, change.version
    about = version or change.version_was
    entry = HistoryEntry(
        model=model.name,
        revision=model.revision,
        at=model.updated_at,
        actor=actor,
        kind=change.kind,
        version=about.number if about else None,
        alias=change.alias,
        before=change.before,
        after=change.after,
    )
    listed: list[Write] = [
        Put(table_rows.model_key(model.name), fields_of(model), was.revision if was else None),
        Put(table_rows.history_key(model.name, model.revision), fields_of(entry), None),
    ]
    if version:
        version_was = change.version_was.revision if change.version_was else None
        listed.append(Put(table_rows.version_key(model.name, version.number), fields_of(version), version_was))
    if was is None or _served(was) != _served(model):
        listed.append(Put(table_rows.timeline_key(model.name, model.updated_at), {"aliases": _served(model)}, None))
    return [*listed, *change.also]


def _served(model: RegisteredModel) -> dict[str, int | list[dict[str, int]]] | None:
    """The version or the routes of each alias; None while the model is deleted or purged."""
    if model.deleted_at or model.purged:
        return None
    return {name: rows_of(alias.routes) if alias.routes else alias.version for name, alias in model.aliases.items()}
