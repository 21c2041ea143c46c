"""A model's history: who changed what, and when."""

from maas.errors import NotFound
from maas.records import HistoryEntry
from maas.registry.state import table_rows
from maas.registry.state.ledger import Ledger


class History:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(
        self, model: str, limit: int, after: str | None = None, *, kind: str | None = None, actor: str | None = None
    ) -> tuple[list[HistoryEntry], str | None]:
        """Entries, newest first, also for deleted and purged models. See `Ledger.page`. Raises NotFound."""
        if self._ledger.row(model) is None:
            raise NotFound("model", model)
        return self._ledger.page(
            table_rows.partition(model),
            "H#",
            limit,
            after,
            record=HistoryEntry.of,
            sort_key=lambda entry: table_rows.history_key(model, entry.revision)[1],
            keep=lambda entry: kind in (None, entry.kind) and actor in (None, entry.actor),
            newest_first=True,
        )
