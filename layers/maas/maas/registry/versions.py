"""Model versions: numbered without gaps, validated once, immutable from then on, deleted and restored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from maas.aws.dynamodb import WriteConflict
from maas.aws.writes import Delete, Write
from maas.errors import Conflict, Contended, NotFound
from maas.records import ModelFile, ModelQuota, ModelVersion, RegisteredModel, Status
from maas.registry.models import shown
from maas.registry.quota import NO_QUOTA, check_quota
from maas.registry.routing import check_closed, without_version
from maas.registry.state import table_rows
from maas.registry.state.changes import Change, stamped, writes
from maas.registry.state.idempotency import Idempotency, idempotency_row, made_before
from maas.registry.state.ledger import Ledger, attempts, change_time, check_etag
from maas.registry.state.ready import ready_mark, with_ready, without_ready
from maas.registry.tags import checked, merged


class DeletedVersion(NamedTuple):
    """A deleted version, the aliases that were removed with it, and those that send its share to others now."""

    version: ModelVersion
    removed: list[str]
    changed: list[str]


class Versions:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def create(
        self,
        model: str,
        files: Sequence[ModelFile],
        description: str,
        tags: dict[str, str],
        actor: str,
        idempotency: Idempotency | None = None,
        *,
        options: dict[str, Any] | None = None,
        origin: str = "",
        quota: ModelQuota = NO_QUOTA,
    ) -> ModelVersion:
        """Create the next version of the model, PENDING_UPLOAD.

        Raises NotFound, Gone, InvalidRequest, Conflict, Contended, QuotaExceeded.
        """
        tags = checked(tags)
        for _ in attempts():
            if made := self._made_before(model, idempotency):
                return made
            owner = self._ledger.model(model)
            now, number = change_time(model, owner.updated_at), owner.last_version + 1
            version = ModelVersion(
                model,
                number,
                Status.PENDING_UPLOAD,
                tuple(files),
                now,
                now,
                0,
                description,
                tags,
                options=options or {},
                origin=origin,
            )
            after = {"status": version.status, "sha256": version.model_file.sha256}
            changed = replace(owner, last_version=number).keeping(1, version.size_bytes)
            check_quota(changed, quota)
            also = (*idempotency_row(idempotency, model, number), table_rows.unready(version))
            change = stamped(
                Change("version.created", changed, version, after=after, also=also), owner.revision + 1, now
            )
            try:
                self._ledger.table.write(writes(owner, change, actor))
            except WriteConflict:
                continue
            assert change.version
            return change.version
        raise Contended(model)

    def _made_before(self, model: str, idempotency: Idempotency | None) -> ModelVersion | None:
        """What an earlier call with this key created. A key that never expires is free again once that is purged."""
        made = made_before(self._ledger.table, idempotency)
        if idempotency is None or made is None or made[1] is None:
            return None
        try:
            return self._ledger.version(model, made[1])
        except NotFound:
            if idempotency.expires:
                raise
            self._ledger.table.delete([table_rows.idempotency_key(idempotency.actor, idempotency.key)])
            return None

    def get(self, model: str, number: int, *, deleted: bool = False) -> tuple[ModelVersion, RegisteredModel]:
        """The version, and its model for the aliases. Raises NotFound, and Gone for deleted ones unless `deleted`."""
        owner = self._ledger.model(model, deleted=deleted)
        return self._ledger.version(model, number, deleted=deleted), owner

    def page(
        self,
        model: str,
        limit: int,
        after: str | None = None,
        keep: Callable[[ModelVersion], bool] = lambda version: not version.deleted_at,
    ) -> tuple[list[ModelVersion], str | None]:
        """Versions, newest first. See `Ledger.page`."""
        return self._ledger.page(
            table_rows.partition(model),
            "V#",
            limit,
            after,
            record=ModelVersion.of,
            sort_key=lambda version: table_rows.version_key(model, version.number)[1],
            keep=keep,
            newest_first=True,
        )

    def update(
        self,
        model: str,
        number: int,
        actor: str,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        if_match: str | None = None,
    ) -> ModelVersion:
        """Change description and tags, never the files.

        Raises NotFound, Gone, InvalidRequest, PreconditionFailed, Contended.
        """

        def decide(owner: RegisteredModel, _: str) -> Change | None:
            old = self._ledger.version(model, number)
            aliases = owner.aliases_on(number)
            check_etag(if_match, old.etag(aliases), (old, aliases))
            new = replace(
                old,
                description=old.description if description is None else description,
                tags=merged(old.tags, tags),
            )
            if new == old:
                return None
            return Change("version.updated", owner, new, old, before=shown(old), after=shown(new))

        change = self._ledger.change(model, decide, actor)
        return change.version if change and change.version else self._ledger.version(model, number)

    def delete(
        self, model: str, number: int, actor: str, *, force: bool = False, if_match: str | None = None
    ) -> DeletedVersion:
        """Soft and idempotent. Without `force`, aliases forbid it that send requests to the version, or copies of them.

        With it, aliases lose their route to the version: one that has no other is removed, the others share its weight.
        Aliases whose shadow it is have none afterwards. An open rollout forbids it in any case.
        Raises NotFound, Gone (the model), Conflict naming the aliases, PreconditionFailed.
        """
        bereft: list[str] = []

        def decide(owner: RegisteredModel, now: str) -> Change | None:
            old = self._ledger.version(model, number, deleted=True)
            bereft[:] = [] if old.deleted_at else owner.aliases_on(number)
            if old.deleted_at:
                return None
            check_etag(if_match, old.etag(bereft), (old, bereft))
            check_closed(owner, number)
            if not force:
                _check_unused(owner, number)
            new = replace(old, deleted_at=now)
            also: tuple[Write, ...] = (table_rows.deletion(now, model, number),)
            if old.status is Status.READY:
                also += (Delete(table_rows.ready_key(model, number)),)
                owner = without_ready(self._ledger.table, owner, number)
            owner, before, after = without_version(owner, number, now)
            return Change("version.deleted", owner, new, old, before=before, after=after, also=also)

        change = self._ledger.change(model, decide, actor)
        if change is None or change.version is None:
            return DeletedVersion(self._ledger.version(model, number, deleted=True), [], [])
        gone = [alias for alias in bereft if alias not in change.model.aliases]
        return DeletedVersion(change.version, gone, [alias for alias in bereft if alias in change.model.aliases])

    def restore(self, model: str, number: int, actor: str, if_match: str | None = None) -> ModelVersion:
        """Undo `delete`, except for removed aliases.

        Raises NotFound, Gone (the model), Conflict while it is being purged, PreconditionFailed.
        """

        def decide(owner: RegisteredModel, _: str) -> Change | None:
            old = self._ledger.version(model, number, deleted=True)
            if not old.deleted_at:
                return None
            if old.purging:
                raise Conflict(f"version {number} of model '{model}' is being purged and can no longer be restored")
            check_etag(if_match, old.etag([]), (old, []))
            also: tuple[Write, ...] = (Delete(table_rows.deleted_key(old.deleted_at, model, number)),)
            if old.status is Status.READY:
                also += (ready_mark(old),)
                owner = with_ready(owner, old)
            return Change("version.restored", owner, replace(old, deleted_at=None), old, also=also)

        change = self._ledger.change(model, decide, actor)
        return change.version if change and change.version else self._ledger.version(model, number)


def _check_unused(owner: RegisteredModel, number: int) -> None:
    """Raises Conflict, naming the aliases."""
    which = f"version {number} of model '{owner.name}'"
    if names := ", ".join(owner.aliases_on(number)):
        raise Conflict(f"{which} has aliases: {names}; move them, or use force=true")
    if names := ", ".join(owner.shadows_on(number)):
        raise Conflict(f"{which} is the shadow of aliases: {names}; remove it there, or use force=true")
