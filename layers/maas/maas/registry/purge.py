"""Purge: removes rows and objects of deleted models and versions. History, timeline and version counter stay.

A purge can stop at any point and be repeated. Order: a mark that forbids restoring, the objects, the rows, and one
change that records the end. `delete_objects(prefix, deadline, last)` returns whether everything was deleted in time,
for a model that of its versions up to `last`.

Two purges of one model may overlap. Once one has finished, the name is free: a model that is created meanwhile goes on
with the numbers, so each purge deletes what the numbers of its own mark tell, and no more.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from maas.aws.writes import Delete, Write
from maas.errors import Conflict, Gone, NotFound
from maas.records import RegisteredModel, Status
from maas.registry.state import table_rows
from maas.registry.state.changes import Change
from maas.registry.state.ledger import Ledger, check_etag
from maas.sweeps import each
from maas.times import canonical

DeleteObjects = Callable[[str, float, int | None], bool]
_PAGE = 100


class Purge:
    def __init__(self, ledger: Ledger, delete_objects: DeleteObjects) -> None:
        self._ledger, self._delete_objects = ledger, delete_objects

    def model(self, name: str, actor: str, deadline: float, if_match: str | None = None) -> bool:
        """Whether the purge finished before `deadline` (time.monotonic); if not, call again.

        `if_match` counts only at the first call. Raises NotFound, PreconditionFailed, Conflict unless deleted.
        """
        return self._purge_model(name, actor, deadline, if_match, None)

    def _purge_model(
        self, name: str, actor: str, deadline: float, if_match: str | None, deleted_at: str | None
    ) -> bool:
        found = self._ledger.row(name)
        if found and found.purged:
            return True
        marked: RegisteredModel

        def mark(model: RegisteredModel, _: str) -> Change | None:
            nonlocal marked
            marked = model
            if model.purging:
                return None
            check_etag(if_match, model.etag, model)
            _check_deletion(deleted_at, model.deleted_at)
            also = _hurry(f"model '{name}'", model.deleted_at, name, None)
            return Change("model.purging", replace(model, purging=True), also=also)

        self._ledger.change(name, mark, actor, deleted=True)
        if not self._delete_objects(f"models/{name}/", deadline, marked.last_version):
            return False
        if not self._delete_rows(marked, deadline):
            return False
        with suppress(NotFound):  # another purge has finished it
            self._ledger.change(name, _finish_model, actor, deleted=True)
        return True

    def version(self, model: str, number: int, actor: str, deadline: float, if_match: str | None = None) -> bool:
        """As `model`; raises NotFound for a version that is purged already, Gone if its model is deleted."""
        return self._purge_version(model, number, actor, deadline, if_match, None)

    def _purge_version(
        self, model: str, number: int, actor: str, deadline: float, if_match: str | None, deleted_at: str | None
    ) -> bool:
        def mark(owner: RegisteredModel, _: str) -> Change | None:
            old = self._ledger.version(model, number, deleted=True)
            if old.purging:
                return None
            check_etag(if_match, old.etag([]), (old, []))
            _check_deletion(deleted_at, old.deleted_at)
            also = _hurry(f"version {number} of model '{model}'", old.deleted_at, model, number)
            return Change("version.purging", owner, replace(old, purging=True), old, also=also)

        def finish(owner: RegisteredModel, _: str) -> Change:
            old = self._ledger.version(model, number, deleted=True)
            also = (
                Delete(table_rows.version_key(model, number)),
                Delete(table_rows.deleted_key(table_rows.AT_ONCE, model, number)),
                Delete(table_rows.unready_key(old)),
            )
            return Change("version.purged", owner.keeping(-1, -old.size_bytes), version_was=old, also=also)

        self._ledger.change(model, mark, actor)
        if not self._delete_objects(f"models/{model}/{number}/", deadline, None):
            return False
        with suppress(NotFound):  # another purge has finished it
            self._ledger.change(model, finish, actor)
        return True

    def expired(self, before: datetime, actor: str, deadline: float) -> Iterator[str]:
        """Purge everything deleted before that time and finish started purges; yields each name when it is done.

        Continues after a failure; raises an ExceptionGroup of all failures at the end.
        """
        deletions = self._rows(table_rows.DELETED, "deleted_at", canonical(before))
        yield from each(deletions, _name, lambda row: self._expired(row, actor, deadline), deadline, "not purged")

    def abandoned(self, before: datetime, actor: str, deadline: float) -> Iterator[str]:
        """Purge the versions that are not READY and did not change since that time, as `expired` does.

        They are uploads that were never completed, and versions that FAILED or whose validation never ended.
        """
        last = canonical(before)
        rows = self._rows(table_rows.UNREADY, "created_at", last)
        yield from each(rows, _name, lambda row: self._abandoned(row, last, actor, deadline), deadline, "not purged")

    def _abandoned(self, row: dict[str, Any], last: str, actor: str, deadline: float) -> bool:
        model, number = row["model"], row["number"]

        def mark(owner: RegisteredModel, now: str) -> Change:
            old = self._ledger.version(model, number)
            if old.status is Status.READY or old.updated_at >= last:
                raise _Changed
            also = (table_rows.deletion(table_rows.AT_ONCE, model, number),)  # the schedule finishes what stops here
            return Change("version.purging", owner, replace(old, deleted_at=now, purging=True), old, also=also)

        try:
            self._ledger.change(model, mark, actor)
            return self._purge_version(model, number, actor, deadline, None, None)
        except (_Changed, Gone):
            return False  # used since, or deleted: then it is purged when that expires
        except NotFound:  # purged with its model: only the index row is left
            self._ledger.table.delete([(table_rows.UNREADY, f"{row['created_at']}#{model}#{number}")])
            return False

    def _rows(self, index: str, time_field: str, before: str) -> Iterator[dict[str, Any]]:
        rows = self._ledger.table.items(index, "", page=_PAGE)
        return takewhile(lambda row: bool(row[time_field] < before), rows)

    def _expired(self, row: dict[str, Any], actor: str, deadline: float) -> bool:
        model, number, deleted_at = row["model"], row["number"], row["deleted_at"]
        try:
            if number is None:
                return self._purge_model(model, actor, deadline, None, deleted_at)
            return self._purge_version(model, number, actor, deadline, None, deleted_at)
        except (_Changed, Gone):
            return False  # restored since the row was read, or the model is deleted and purges its versions
        except NotFound:  # purged with its model: only the index row is left
            self._ledger.table.delete([table_rows.deleted_key(row["deleted_at"], model, number)])
            return False

    def _delete_rows(self, marked: RegisteredModel, deadline: float) -> bool:
        name, last = marked.name, marked.last_version
        ends = (
            ("V#", table_rows.version_key(name, last)),
            ("R#", table_rows.ready_key(name, last)),
            (table_rows.ROLLOUT, table_rows.rollout_key(name, marked.revision)),
        )
        for prefix, end in ends:
            while keys := [key for key in self._ledger.table.keys(end[0], prefix, limit=_PAGE) if key <= end]:
                if time.monotonic() > deadline:
                    return False
                self._ledger.table.delete(keys)
        return True


def _name(row: dict[str, Any]) -> str:
    name: str = row["model"]
    return name if row["number"] is None else f"{name}@{row['number']}"


def _finish_model(model: RegisteredModel, _: str) -> Change | None:
    if not model.purging:
        return None  # another purge has finished it, and the name is in use again
    remains = RegisteredModel(
        model.name, model.created_at, model.updated_at, model.revision, last_version=model.last_version, purged=True
    )
    return Change("model.purged", remains, also=(Delete(table_rows.deleted_key(table_rows.AT_ONCE, model.name)),))


class _Changed(Exception):
    """The item was restored, deleted again or became READY since its index row was read."""


def _check_deletion(expected: str | None, deleted_at: str | None) -> None:
    """Raises _Changed unless the item still has the deletion that the caller decided by; None is any."""
    if expected is not None and expected != deleted_at:
        raise _Changed


def _hurry(what: str, deleted_at: str | None, model: str, number: int | None) -> tuple[Write, ...]:
    """Move the index row to the front, so that the schedule finishes a purge that stopped early."""
    if not deleted_at:
        raise Conflict(f"{what} is not deleted: delete it before purging")
    return Delete(table_rows.deleted_key(deleted_at, model, number)), table_rows.deletion(
        table_rows.AT_ONCE, model, number
    )
