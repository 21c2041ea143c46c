"""The validation of versions: PENDING_UPLOAD → VALIDATING → READY or FAILED, once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from maas.aws.dynamodb import WriteConflict
from maas.aws.writes import Delete, Put, Write
from maas.errors import NotFound, ServiceUnavailable
from maas.records import ModelVersion, RegisteredModel, Stage, Status, fields_of
from maas.registry.state import table_rows
from maas.registry.state.changes import Change
from maas.registry.state.ledger import Ledger
from maas.registry.state.ready import ready_mark, with_ready


class Validation:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def start(self, model: str, number: int, actor: str) -> ModelVersion:
        """PENDING_UPLOAD → VALIDATING; any other status stays. Returns the version after the call."""
        return self._change_status(
            model, number, Status.PENDING_UPLOAD, lambda version: replace(version, status=Status.VALIDATING), actor
        )

    def set_stage(self, model: str, number: int, stage: Stage) -> None:
        """Tell what the validation does at the moment. A concurrent change wins, and a failure does not matter."""
        with suppress(NotFound, WriteConflict, ServiceUnavailable):
            version = self._ledger.version(model, number, deleted=True)
            if version.status is Status.VALIDATING:
                fields = fields_of(replace(version, stage=stage))
                self._ledger.table.write([Put(table_rows.version_key(model, number), fields, version.revision)])

    def check_kept(self, model: str, number: int) -> None:
        """Raises NotFound if the version is purged or is being purged."""
        owner, version = self._ledger.model(model, deleted=True), self._ledger.version(model, number, deleted=True)
        if owner.purging or version.purging:
            raise NotFound("version", str(number), of=model)

    def finish(self, checked: ModelVersion, actor: str) -> ModelVersion:
        """VALIDATING → READY or FAILED, with the findings in `checked`. A version that is READY or FAILED stays so."""

        def finished(stored: ModelVersion) -> ModelVersion:
            return replace(
                stored,
                status=checked.status,
                status_reason=checked.status_reason,
                files=checked.files,
                inputs=checked.inputs,
                outputs=checked.outputs,
                profile=checked.profile,
                warnings=checked.warnings,
                task=checked.task,
                stage=None,
                variants=checked.variants,
                quantized=checked.quantized,
            )

        return self._change_status(checked.model, checked.number, Status.VALIDATING, finished, actor)

    def _change_status(
        self,
        model: str,
        number: int,
        expected: Status,
        changed: Callable[[ModelVersion], ModelVersion],
        actor: str,
    ) -> ModelVersion:
        """Also for deleted versions and models, so that a restore brings back the outcome of the validation."""

        def decide(owner: RegisteredModel, _: str) -> Change | None:
            old = self._ledger.version(model, number, deleted=True)
            if old.status is not expected:
                return None
            new = changed(old)
            also: tuple[Write, ...] = ()
            if new.status is Status.READY and not new.deleted_at:
                also = (ready_mark(new),)
                owner = with_ready(owner, new)
            if new.status is Status.READY:
                also += (Delete(table_rows.unready_key(old)),)
            after = {"status": new.status} | ({"reason": new.status_reason} if new.status_reason else {})
            kind = f"version.{new.status.lower()}"
            return Change(kind, owner, new, old, before={"status": old.status}, after=after, also=also)

        change = self._ledger.change(model, decide, actor, deleted=True)
        return change.version if change and change.version else self._ledger.version(model, number, deleted=True)
