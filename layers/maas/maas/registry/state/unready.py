"""Versions that are not READY, from their index."""

from collections.abc import Iterator
from datetime import datetime

from maas.aws.dynamodb import Table
from maas.records import ModelVersion, Status
from maas.registry.state import table_rows
from maas.times import canonical

_PAGE = 100


def stalled(table: Table, before: datetime) -> Iterator[ModelVersion]:
    """Versions that are VALIDATING and did not change since that time: the event of their deployment is lost."""
    last, after = canonical(before), None
    while True:
        rows, after = table.query(table_rows.UNREADY, "", limit=_PAGE, after=after)
        keys = [table_rows.version_key(row["model"], row["number"]) for row in rows if row["created_at"] < last]
        for found in table.get_many(keys):
            version = ModelVersion.of(found) if found else None
            if version and version.status is Status.VALIDATING and not version.deleted_at and version.updated_at < last:
                yield version
        if after is None or len(keys) < len(rows):
            return
