"""Records as the plain values of their rows."""

from dataclasses import asdict
from typing import Any

from maas.records.models import HistoryEntry, RegisteredModel
from maas.records.versions import ModelVersion


def fields_of(record: RegisteredModel | ModelVersion | HistoryEntry) -> dict[str, Any]:
    """The record as plain values, which `of` reads. Empty text, the default, is left out."""
    plain = {name: value for name, value in asdict(record).items() if value != ""}
    if isinstance(record, RegisteredModel):
        plain["aliases"] = {name: alias.row() for name, alias in record.aliases.items()}
    return plain
