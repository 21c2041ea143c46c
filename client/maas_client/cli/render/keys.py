"""API keys as a table on standard output."""

from collections.abc import Sequence

from maas_client.cli.looks import Part, ago, row, show, table_of
from maas_client.records.keys import ApiKey


def show_keys(keys: Sequence[ApiKey]) -> None:
    table = table_of("id", "name", "scopes", "created", "used", "expires")
    for key in keys:
        used: Part = ago(key.used_at) if key.used_at else ("never", "dim")
        row(table, (key.id, "bold"), key.name, " ".join(key.scopes), ago(key.created_at), used, _end(key))
    show(table)


def _end(key: ApiKey) -> Part:
    if key.revoked_at:
        return f"revoked {ago(key.revoked_at)}", "red"
    return (key.expires_at or "never")[:16]
