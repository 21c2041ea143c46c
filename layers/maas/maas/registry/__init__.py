"""The registry's rules: how models, versions and aliases may change.

A model's row holds its aliases and counters, so its `revision` guards all of it. `Ledger.change` of `state/` reads
the model, decides in plain Python, and writes all rows and the history entry in one transaction. The transaction fails
if another writer changed the model since the read; `change` then reads and decides again. Rows: `state/table_rows.py`.

Every change takes the actor, for the history. Names are checked when they are created, not when they are read.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from maas.aws.dynamodb import Table
from maas.records import ModelVersion
from maas.registry import resolution
from maas.registry.aliases import Aliases
from maas.registry.history import History
from maas.registry.models import Models
from maas.registry.resolution import DEFAULT_ALIAS, Resolution
from maas.registry.state.idempotency import Idempotency
from maas.registry.state.ledger import Ledger
from maas.registry.validation import Validation
from maas.registry.versions import Versions

if TYPE_CHECKING:  # not needed for a cold start of inference
    from maas.registry.purge import DeleteObjects, Purge
    from maas.registry.rollouts import Rollouts

__all__ = ["DEFAULT_ALIAS", "Idempotency", "Registry", "Resolution"]


class Registry:
    def __init__(self, table: Table) -> None:
        self._ledger = Ledger(table)
        self.models = Models(self._ledger)
        self.versions = Versions(self._ledger)
        self.validation = Validation(self._ledger)
        self.aliases = Aliases(self._ledger)
        self.history = History(self._ledger)

    def purge(self, delete_objects: "DeleteObjects") -> "Purge":
        from maas.registry.purge import Purge

        return Purge(self._ledger, delete_objects)

    @property
    def rollouts(self) -> "Rollouts":
        from maas.registry.rollouts import Rollouts

        return Rollouts(self._ledger)

    def stalled(self, before: datetime) -> Iterator[ModelVersion]:
        """See `unready.stalled`."""
        from maas.registry.state.unready import stalled

        return stalled(self._ledger.table, before)

    def secret(self, name: str) -> bytes:
        """32 random bytes, unique to this installation and constant."""
        return self._ledger.secret(name)

    def resolve(self, model: str, reference: str | None) -> ModelVersion:
        """The READY version for a version number or alias; of an alias with routes, the one with the most weight.

        None means the alias `default`, or the newest READY version if there is no such alias.
        Raises NotFound, Gone, NotReady.
        """
        return resolution.main(self._ledger, model, reference)

    def resolution(self, model: str, reference: str | None) -> Resolution:
        """As `resolve`, with every version that the alias sends requests to."""
        return resolution.resolved(self._ledger, model, reference)
