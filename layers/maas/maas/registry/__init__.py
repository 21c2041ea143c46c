"""The registry's rules: how models, versions and aliases may change.

A model's row holds its aliases and counters, so its `revision` guards the whole model. `ledger.Ledger.change` reads the
model, decides in plain Python, and writes all rows and the history entry in one transaction. The transaction fails if
another writer changed the model since the read; `change` then reads and decides again. Row layout: `table_rows`.

Every change takes the actor, for the history. Names are checked when they are created, not when they are read.
"""

from collections.abc import Iterator
from datetime import datetime

from maas.aws.dynamodb import Table
from maas.errors import NotFound, NotReady
from maas.names import is_name, version_number
from maas.records import ModelVersion, RegisteredModel, Status
from maas.registry import table_rows
from maas.registry.aliases import Aliases
from maas.registry.history import History
from maas.registry.ledger import Idempotency, Ledger, checked_model, checked_version
from maas.registry.models import Models
from maas.registry.purge import DeleteObjects, Purge
from maas.registry.unready import stalled
from maas.registry.versions import Versions

__all__ = ["DEFAULT_ALIAS", "Idempotency", "Registry"]

DEFAULT_ALIAS = "default"


class Registry:
    def __init__(self, table: Table) -> None:
        self._ledger = Ledger(table)
        self.models = Models(self._ledger)
        self.versions = Versions(self._ledger)
        self.aliases = Aliases(self._ledger)
        self.history = History(self._ledger)

    def purge(self, delete_objects: DeleteObjects) -> Purge:
        return Purge(self._ledger, delete_objects)

    def stalled(self, before: datetime) -> Iterator[ModelVersion]:
        """See `unready.stalled`."""
        return stalled(self._ledger.table, before)

    def secret(self, name: str) -> bytes:
        """32 random bytes, unique to this installation and constant."""
        return self._ledger.secret(name)

    def resolve(self, model: str, reference: str | None) -> ModelVersion:
        """The READY version for a version number or alias.

        None means the alias `default`, or the newest READY version if there is no such alias.
        Raises NotFound, Gone, NotReady.
        """
        number = version_number(reference) if reference else None
        if number is None:
            number = self._followed(self._ledger.model(model), reference)
            version = self._ledger.version(model, number)
        else:
            version = self._numbered(model, number)
        if version.status is not Status.READY:
            raise NotReady(model, number, version.status, version.status_reason)
        return version

    def _followed(self, owner: RegisteredModel, reference: str | None) -> int:
        alias = owner.aliases.get(reference or DEFAULT_ALIAS)
        if alias is None and reference:
            raise NotFound("version or alias", reference, of=owner.name)
        number = alias.version if alias else owner.latest_ready_version
        if number is None:
            raise NotReady(owner.name, None, "without a READY version")
        return number

    def _numbered(self, model: str, number: int) -> ModelVersion:
        """The version, read together with its model in one call: a deleted model must not serve."""
        if not is_name(model):
            raise NotFound("model", model)
        owner, row = self._ledger.table.get_many([table_rows.model_key(model), table_rows.version_key(model, number)])
        checked_model(model, RegisteredModel.of(owner) if owner else None)
        return checked_version(model, number, ModelVersion.of(row) if row else None)
