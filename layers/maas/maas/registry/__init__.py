"""The registry's rules: what may become of models, versions and aliases.

A model's row carries its aliases and counters, so its `revision` guards the whole model: a change reads, decides in
plain Python, and writes rows and history entry in one transaction that fails if anything was changed since it was
read; then it is decided anew.

Rows: (MODELS, name) → RegisteredModel; (M#name, V#00000001) → ModelVersion; (M#name, H#000000000001) → HistoryEntry.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from maas.aws.dynamodb import Key, Put, Table, WriteConflict
from maas.errors import AlreadyExists, Contended, NotFound, NotReady
from maas.names import check_alias, check_name, is_name, version_number
from maas.records import Alias, HistoryEntry, ModelFile, ModelVersion, RegisteredModel, Status, fields_of

DEFAULT_ALIAS = "default"
ATTEMPTS = 20
MODELS = "MODELS"


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision wants written: the model, the version it concerns (and as it was), what history says of it."""

    kind: str
    model: RegisteredModel
    version: ModelVersion | None = None
    version_was: ModelVersion | None = None
    alias: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


# Called with the model as just read and the time of the change; None if there is nothing to change.
Decision = Callable[[RegisteredModel, str], Change | None]


class Registry:
    """Every change takes the actor (who) for the history. Names are checked where they are made, not where read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # ---------------------------------------------------------------- models

    def create_model(self, name: str, description: str, tags: dict[str, str], actor: str) -> RegisteredModel:
        """Raises InvalidRequest, AlreadyExists."""
        now = _time_after("")
        model = RegisteredModel(check_name(name, "name"), now, now, 1, description, tags)
        created = Change("model.created", model, after={"description": description or None, "tags": tags})
        try:
            self._table.write(_puts(None, created, actor))
        except WriteConflict:
            raise AlreadyExists("model", name) from None
        return model

    def model(self, name: str) -> RegisteredModel:
        """Raises NotFound."""
        row = self._table.get(_model_key(name)) if is_name(name) else None  # never ask for what cannot be
        if row is None:
            raise NotFound("model", name)
        return RegisteredModel.of(row)

    def models(self, limit: int, after: str | None = None) -> tuple[list[RegisteredModel], str | None]:
        """A page by name, and the name to go on after. Raises InvalidRequest if `after` is none."""
        if after is not None:
            check_name(after, "page_token")
        rows, last = self._table.query(MODELS, "", limit=limit, after=after)
        return [RegisteredModel.of(row) for row in rows], last

    # -------------------------------------------------------------- versions

    def create_version(
        self, model: str, files: Sequence[ModelFile], description: str, tags: dict[str, str], actor: str
    ) -> ModelVersion:
        """The next number of the model, PENDING_UPLOAD. Raises NotFound, Contended."""

        def decide(model: RegisteredModel, now: str) -> Change:
            number = model.last_version + 1
            revision = model.revision + 1
            version = ModelVersion(
                model.name, number, Status.PENDING_UPLOAD, tuple(files), now, now, revision, description, tags
            )
            after = {"status": version.status, "sha256": version.model_file.sha256}
            return Change("version.created", replace(model, last_version=number), version, after=after)

        change = self._change(model, decide, actor)
        assert change and change.version
        return change.version

    def version(self, model: str, number: int) -> ModelVersion:
        """Raises NotFound."""
        row = self._table.get(_version_key(model, number)) if is_name(model) else None
        if row is None:
            self.model(model)
            raise NotFound("version", str(number), of=model)
        return ModelVersion.of(row)

    def versions(self, model: str, limit: int, after: int | None = None) -> tuple[list[ModelVersion], int | None]:
        """A page of a model's versions, newest first, and the number to go on after."""
        start = _version_key(model, after)[1] if after else None
        rows, last = self._table.query(_partition(model), "V#", limit=limit, after=start, newest_first=True)
        found = [ModelVersion.of(row) for row in rows]
        return found, found[-1].number if last else None

    def start_validation(self, model: str, number: int, actor: str) -> ModelVersion:
        """PENDING_UPLOAD → VALIDATING; any other status stays. Returns the version as it is then."""
        return self._change_status(
            model, number, Status.PENDING_UPLOAD, lambda version: replace(version, status=Status.VALIDATING), actor
        )

    def finish_validation(self, checked: ModelVersion, actor: str) -> ModelVersion:
        """VALIDATING → READY or FAILED as in `checked`, with what was found; if it ended already, that end stays."""
        return self._change_status(
            checked.model,
            checked.number,
            Status.VALIDATING,
            lambda stored: replace(checked, revision=stored.revision),
            actor,
        )

    # --------------------------------------------------------------- aliases

    def put_alias(self, model: str, alias: str, number: int, actor: str) -> Alias:
        """Point the alias at a READY version. Raises NotFound, NotReady, InvalidRequest, Contended."""
        check_alias(alias)

        def decide(model: RegisteredModel, now: str) -> Change | None:
            version = self.version(model.name, number)
            if version.status is not Status.READY:
                raise NotReady(model.name, number, version.status, version.status_reason)
            old = model.aliases.get(alias)
            if old and old.version == number:
                return None
            changed = model.with_alias(alias, Alias(number, now))
            before = {"version": old.version} if old else None
            return Change("alias.set", changed, alias=alias, before=before, after={"version": number})

        change = self._change(model, decide, actor)
        return change.model.aliases[alias] if change else self.alias(model, alias)

    def alias(self, model: str, alias: str) -> Alias:
        """Raises NotFound."""
        found = self.model(model).aliases.get(alias)
        if found is None:
            raise NotFound("alias", alias, of=model)
        return found

    def delete_alias(self, model: str, alias: str, actor: str) -> None:
        """Raises NotFound, Contended."""

        def decide(model: RegisteredModel, _: str) -> Change:
            old = model.aliases.get(alias)
            if old is None:
                raise NotFound("alias", alias, of=model.name)
            return Change("alias.deleted", model.with_alias(alias, None), alias=alias, before={"version": old.version})

        self._change(model, decide, actor)

    def resolve(self, model: str, reference: str | None) -> ModelVersion:
        """The READY version that a number, an alias or nothing stands for; nothing is `default`, else the newest READY.

        Raises NotFound, NotReady.
        """
        number = version_number(reference) if reference else None
        if number is None:
            found = self.model(model)
            alias = found.aliases.get(reference or DEFAULT_ALIAS)
            if alias is None and reference:
                raise NotFound("version or alias", reference, of=model)
            number = alias.version if alias else found.latest_ready_version
            if number is None:
                raise NotReady(model, None, "without a READY version")
        version = self.version(model, number)
        if version.status is not Status.READY:
            raise NotReady(model, number, version.status, version.status_reason)
        return version

    # --------------------------------------------------------------- changes

    def _change_status(
        self,
        model: str,
        number: int,
        expected: Status,
        changed: Callable[[ModelVersion], ModelVersion],
        actor: str,
    ) -> ModelVersion:
        def decide(model: RegisteredModel, _: str) -> Change | None:
            old = self.version(model.name, number)
            if old.status is not expected:
                return None
            new = changed(old)
            if new.status is Status.READY:
                model = replace(model, latest_ready_version=max(model.latest_ready_version or 0, number))
            after = {"status": new.status} | ({"reason": new.status_reason} if new.status_reason else {})
            return Change(f"version.{new.status.lower()}", model, new, old, before={"status": old.status}, after=after)

        change = self._change(model, decide, actor)
        return change.version if change and change.version else self.version(model, number)

    def _change(self, name: str, decide: Decision, actor: str) -> Change | None:
        """Read, decide, write; anew when somebody else wrote in between. Raises Contended when they keep doing so."""
        for attempt in range(ATTEMPTS):
            model = self.model(name)
            now = _time_after(model.updated_at)
            change = decide(model, now)
            if change is None:
                return None
            change = _stamped(change, model.revision + 1, now)
            try:
                self._table.write(_puts(model, change, actor))
                return change
            except WriteConflict:
                time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))
        raise Contended(name)


def _stamped(change: Change, revision: int, now: str) -> Change:
    return replace(
        change,
        model=replace(change.model, revision=revision, updated_at=now),
        version=replace(change.version, revision=revision, updated_at=now) if change.version else None,
    )


def _puts(was: RegisteredModel | None, change: Change, actor: str) -> list[Put]:
    model, version = change.model, change.version
    entry = HistoryEntry(
        model=model.name,
        revision=model.revision,
        at=model.updated_at,
        actor=actor,
        kind=change.kind,
        version=version.number if version else None,
        alias=change.alias,
        before=change.before,
        after=change.after,
    )
    puts = [
        Put(_model_key(model.name), fields_of(model), was.revision if was else None),
        Put((_partition(model.name), f"H#{model.revision:012d}"), fields_of(entry), None),
    ]
    if version:
        version_was = change.version_was.revision if change.version_was else None
        puts.append(Put(_version_key(model.name, version.number), fields_of(version), version_was))
    return puts


def _time_after(previous: str) -> str:
    """Now, in RFC 3339 with microseconds; after `previous` even when clocks disagree, so that history is in order."""
    now = datetime.now(UTC)
    if previous:
        now = max(now, datetime.fromisoformat(previous) + timedelta(microseconds=1))
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _partition(model: str) -> str:
    return f"M#{model}"


def _model_key(name: str) -> Key:
    return MODELS, name


def _version_key(model: str, number: int) -> Key:
    return _partition(model), f"V#{number:08d}"
