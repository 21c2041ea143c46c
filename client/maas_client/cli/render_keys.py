"""API keys as a table on standard output."""

from collections.abc import Sequence

from rich.markup import escape

from maas_client.cli.looks import ago, console, table_of
from maas_client.key_records import ApiKey


def show_keys(keys: Sequence[ApiKey]) -> None:
    table = table_of("id", "name", "scopes", "created", "used", "expires")
    for key in keys:
        ends = f"[red]revoked {ago(key.revoked_at)}[/]" if key.revoked_at else (key.expires_at or "never")[:16]
        table.add_row(
            f"[bold]{key.id}[/]",
            escape(key.name),
            " ".join(key.scopes),
            ago(key.created_at),
            ago(key.used_at) if key.used_at else "[dim]never[/]",
            ends,
        )
    console.print(table)
