"""Registered models: created, changed, deleted, restored."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from maas.aws.dynamodb import WriteConflict
from maas.aws.writes import Delete
from maas.errors import AlreadyExists, Conflict, Contended
from maas.names import check_name
from maas.records import ModelVersion, RegisteredModel
from maas.registry.routing import check_closed
from maas.registry.state import table_rows
from maas.registry.state.changes import Change, writes
from maas.registry.state.idempotency import Idempotency, idempotency_row, made_before
from maas.registry.state.ledger import Ledger, attempts, change_time, check_etag
from maas.registry.tags import checked, merged


class Models:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def create(
        self, name: str, description: str, tags: dict[str, str], actor: str, idempotency: Idempotency | None = None
    ) -> RegisteredModel:
        """A purged name can be created again; its version numbers continue.

        Raises InvalidRequest, AlreadyExists, Contended.
        """
        check_name(name, "name")
        tags = checked(tags)
        for _ in attempts():
            if made_before(self._ledger.table, idempotency):
                return self._ledger.model(name)
            was = self._ledger.row(name)
            if was and not was.purged:
                remark = "; it is deleted: restore it, or purge it to reuse the name" if was.deleted_at else ""
                raise AlreadyExists("model", name, remark)
            now = change_time(name, was.updated_at if was else "")
            revision, last_version = (was.revision + 1, was.last_version) if was else (1, 0)
            model = RegisteredModel(
                name,
                now,
                now,
                revision,
                description,
                tags,
                last_version=last_version,
                versions_before=last_version,
            )
            created = Change(
                "model.created",
                model,
                after={"description": description or None, "tags": tags},
                also=idempotency_row(idempotency, name),
            )
            try:
                self._ledger.table.write(writes(was, created, actor))
                return model
            except WriteConflict:
                continue
        raise Contended(name)

    def get(self, name: str, *, deleted: bool = False) -> RegisteredModel:
        """Raises NotFound, and Gone for a deleted model unless `deleted`."""
        return self._ledger.model(name, deleted=deleted)

    def page(
        self,
        limit: int,
        after: str | None = None,
        *,
        prefix: str = "",
        keep: Callable[[RegisteredModel], bool] = lambda model: not model.deleted_at,
    ) -> tuple[list[RegisteredModel], str | None]:
        """Models ordered by name. See `Ledger.page`."""
        return self._ledger.page(
            table_rows.MODELS,
            prefix,
            limit,
            after,
            record=RegisteredModel.of,
            sort_key=lambda model: model.name,
            keep=lambda model: not model.purged and keep(model),
        )

    def update(
        self,
        name: str,
        actor: str,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        if_match: str | None = None,
    ) -> RegisteredModel:
        """Set the description, merge tags (None removes one).

        Raises NotFound, Gone, InvalidRequest, PreconditionFailed, Contended.
        """

        def decide(model: RegisteredModel, _: str) -> Change | None:
            check_etag(if_match, model.etag, model)
            changed = replace(
                model,
                description=model.description if description is None else description,
                tags=merged(model.tags, tags),
            )
            if changed == model:
                return None
            return Change("model.updated", changed, before=shown(model), after=shown(changed))

        change = self._ledger.change(name, decide, actor)
        return change.model if change else self._ledger.model(name)

    def delete(self, name: str, actor: str, if_match: str | None = None) -> RegisteredModel:
        """Soft: hides the model and keeps all its data. Idempotent.

        Raises NotFound, PreconditionFailed, Conflict while one of its aliases has an open rollout.
        """

        def decide(model: RegisteredModel, now: str) -> Change | None:
            if model.deleted_at:
                return None
            check_etag(if_match, model.etag, model)
            check_closed(model)
            also = (table_rows.deletion(now, name),)
            return Change("model.deleted", replace(model, deleted_at=now), also=also)

        change = self._ledger.change(name, decide, actor, deleted=True)
        return change.model if change else self._ledger.model(name, deleted=True)

    def restore(self, name: str, actor: str, if_match: str | None = None) -> RegisteredModel:
        """Undo `delete`. Raises NotFound, PreconditionFailed, Conflict while the model is being purged."""

        def decide(model: RegisteredModel, _: str) -> Change | None:
            if not model.deleted_at:
                return None
            if model.purging:
                raise Conflict(f"model '{name}' is being purged and can no longer be restored")
            check_etag(if_match, model.etag, model)
            index = Delete(table_rows.deleted_key(model.deleted_at, name))
            return Change("model.restored", replace(model, deleted_at=None), also=(index,))

        change = self._ledger.change(name, decide, actor, deleted=True)
        return change.model if change else self._ledger.model(name)


def shown(record: RegisteredModel | ModelVersion) -> dict[str, object]:
    return {"description": record.description or None, "tags": record.tags}
