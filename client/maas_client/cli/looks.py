"""Common elements of terminal output: console, tables, statuses, sizes, times."""

from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

STATUS_STYLES = {
    "READY": "green",
    "FAILED": "bold red",
    "VALIDATING": "yellow",
    "PENDING_UPLOAD": "dim",
    "EMPTY": "dim",
    "DELETED": "red",
    "SUCCEEDED": "green",
    "RUNNING": "yellow",
    "CANCELLED": "red",
}

console = Console(highlight=False)


def ago(time: str, now: datetime | None = None) -> str:
    """How long before `now` an RFC 3339 time was: 'just now', '5 min ago', '3 days ago'."""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(time)).total_seconds()
    for unit, length, limit in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("days", 86400, 86400 * 60)):
        if seconds < limit:
            count = int(seconds // length)
            return "just now" if seconds < 5 else f"{count} {'day' if unit == 'days' and count == 1 else unit} ago"
    return time[:10]


def size(size_bytes: int) -> str:
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


def table_of(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in columns:
        right = column in ("size", "newest ready", "version", "#", "rows", "errors", "seconds")
        whole = column in ("when", "what", "status")
        table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=whole)
    return table


def styled(status: str) -> str:
    return f"[{STATUS_STYLES.get(status, 'default')}]{status}[/]"
