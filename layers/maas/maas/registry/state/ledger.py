"""Reads and changes of a model. A change and its history entry are one transaction, conditional on the state read."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from maas.aws.dynamodb import Table, WriteConflict
from maas.aws.writes import Item, Put
from maas.errors import Contended, Gone, NotFound, PreconditionFailed
from maas.names import is_name
from maas.records import ModelVersion, RegisteredModel
from maas.registry.state import table_rows
from maas.registry.state.changes import Change, stamped, writes
from maas.times import time_after

T = TypeVar("T")

PATIENCE_SECONDS = 15.0
MAX_SKEW_SECONDS = 5.0  # between the clocks of two environments; more is reported
PAGE = 100
READ_AT_MOST = 1000  # rows read for one page of a filtered list
PAGE_CHARACTERS = 1_000_000  # of all records: in the answer, each may become four bytes of the 6 MB that Lambda carries


# Called with the model just read and the time of the change; returns None if there is nothing to change.
Decision = Callable[[RegisteredModel, str], Change | None]


class Ledger:
    def __init__(self, table: Table) -> None:
        self.table = table

    # ----------------------------------------------------------------- reads

    def row(self, name: str) -> RegisteredModel | None:
        """The model in any state, including the row that a purge leaves; None if there is none."""
        row = self.table.get(table_rows.model_key(name)) if is_name(name) else None  # no read for an invalid name
        return RegisteredModel.of(row) if row else None

    def model(self, name: str, *, deleted: bool = False) -> RegisteredModel:
        """Raises NotFound, and Gone for a deleted model unless `deleted`."""
        return checked_model(name, self.row(name), deleted)

    def version(self, model: str, number: int, *, deleted: bool = False) -> ModelVersion:
        """The version, whatever the state of its model. Raises NotFound, and Gone if it is deleted unless `deleted`."""
        row = self.table.get(table_rows.version_key(model, number)) if is_name(model) else None
        return checked_version(model, number, ModelVersion.of(row) if row else None, deleted)

    def page(
        self,
        pk: str,
        prefix: str,
        limit: int,
        after: str | None,
        *,
        record: Callable[[Item], T],
        sort_key: Callable[[T], str],
        keep: Callable[[T], bool],
        newest_first: bool = False,
    ) -> tuple[list[T], str | None]:
        """Up to `limit` records that pass `keep`, and the sort key to continue after, or None at the end.

        Reads at most about READ_AT_MOST rows, so a page of a strict filter can be short or empty; it ends after
        PAGE_CHARACTERS, so that an answer can carry it.
        """
        found: list[T] = []
        characters, looked, size = 0, 0, min(limit, PAGE)  # an unfiltered page reads only what it returns
        while looked < READ_AT_MOST:
            items, after = self.table.query(pk, prefix, limit=size, after=after, newest_first=newest_first)
            for item in items:
                if keep(one := record(item)):
                    found.append(one)
                    characters += len(repr(item))
                if characters > PAGE_CHARACTERS:
                    return found[:limit], sort_key(found[:limit][-1])
            if after is None or len(found) >= limit:
                break
            looked, size = looked + size, PAGE
        if len(found) > limit:
            found, after = found[:limit], sort_key(found[limit - 1])
        return found, after

    def secret(self, name: str) -> bytes:
        """32 random bytes, created on first use and constant from then on."""
        key = (table_rows.SECRETS, name)
        row = self.table.get(key)
        if row is None:
            with suppress(WriteConflict):  # another environment created it first: use that one
                self.table.write([Put(key, {"value": os.urandom(32).hex()}, None)])
            row = self.table.get(key)
            assert row
        return bytes.fromhex(row["value"])

    # --------------------------------------------------------------- changes

    def change(self, name: str, decide: Decision, actor: str, *, deleted: bool = False) -> Change | None:
        """Read, decide, write; repeat if another writer came in between. Raises Contended after PATIENCE_SECONDS."""
        for _ in attempts():
            model = self.model(name, deleted=deleted)
            now = change_time(name, model.updated_at)
            change = decide(model, now)
            if change is None:
                return None
            change = stamped(change, model.revision + 1, now)
            try:
                self.table.write(writes(model, change, actor))
                return change
            except WriteConflict:
                continue
        raise Contended(name)


def attempts() -> Iterator[None]:
    """Yields for each attempt until PATIENCE_SECONDS are over, with growing random pauses in between."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause_seconds = 0.01
    while time.monotonic() < deadline:
        yield
        time.sleep(random.SystemRandom().uniform(0, pause_seconds))
        pause_seconds = min(pause_seconds * 1.5, 0.5)


def change_time(name: str, previous: str) -> str:
    """The time of a change of the model: later than the previous change, even if this clock is behind.

    Times of one model's changes never decrease, so that history, aliases and as-of answers agree.
    """
    now = time_after(previous)
    behind_seconds = (datetime.fromisoformat(now) - datetime.now(UTC)).total_seconds()
    if behind_seconds > MAX_SKEW_SECONDS:
        from maas.telemetry.observability import count, logger  # not needed for a cold start of the authorizer

        logger().warning("clock skew", extra={"model": name, "behind_seconds": round(behind_seconds, 3)})
        count("ClockSkew")
    return now


def checked_model(name: str, model: RegisteredModel | None, deleted: bool = False) -> RegisteredModel:
    if model is None or model.purged:
        raise NotFound("model", name)
    if model.deleted_at and not deleted:
        raise Gone(f"model '{name}'", model.deleted_at, f"POST /api/v1/models/{name}/restore")
    return model


def checked_version(model: str, number: int, version: ModelVersion | None, deleted: bool = False) -> ModelVersion:
    if version is None:
        raise NotFound("version", str(number), of=model)
    if version.deleted_at and not deleted:
        restore = f"POST /api/v1/models/{model}/versions/{number}/restore"
        raise Gone(f"version {number} of model '{model}'", version.deleted_at, restore)
    return version


def check_etag(if_match: str | None, etag: str, current: object) -> None:
    """Raises PreconditionFailed unless `if_match` is absent, `*`, or names this ETag."""
    if if_match is None:
        return
    accepted = [part.strip().removeprefix("W/") for part in if_match.split(",")]
    if "*" not in accepted and etag not in accepted:
        raise PreconditionFailed(if_match, etag, current)
