"""What commands print: lines, tables, statuses, sizes, times. Every text goes through `plain`; markup is never read."""

import math
import sys
from datetime import UTC, datetime

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from maas_client.cli.output import plain
from maas_client.reading import instant

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
    "PAUSED": "yellow",
    "ROLLED_BACK": "bold red",
    "ABORTED": "red",
}
RIGHT = (
    "size",
    "newest ready",
    "version",
    "#",
    "rows",
    "requests",
    "errors",
    "refused",
    "slow",
    "compared",
    "mismatched",
    "seconds",
    "per second",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "records",
    "$ per 1,000",
)
WHOLE = ("when", "what", "status", "id", "job", "expires")  # never folded
# Left out, in this order, where a terminal is too narrow for all.
SPARE = ("by", "input", "p95 over time", "requests over time", "per second", "records")
UNFOLDED = 1_000_000  # columns: a pipe or a file has no width

Part = str | tuple[str, str] | Text


def line(*parts: Part) -> Text:
    """One line: each part is a text, or a text and its style."""
    return Text.assemble(*map(_harmless, parts))


def _harmless(part: Part) -> Text | str | tuple[str, str]:
    if isinstance(part, Text):
        return part
    return plain(part) if isinstance(part, str) else (plain(part[0]), part[1])


def say(*parts: Part, err: bool = False) -> None:
    """Print one line, which only the terminal wraps."""
    console(err=err).print(line(*parts), soft_wrap=True)


def show(table: Table) -> None:
    """Print a table: folded to the width of a terminal, unfolded elsewhere."""
    console().print(table)


def console(*, err: bool = False) -> Console:
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else UNFOLDED
    return Console(stderr=err, width=width, highlight=False, markup=False, emoji=False)


class _Table(Table):
    """Leaves out columns of SPARE that the terminal has no room for, and names them below."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        left_out = []
        for column in [one for name in SPARE for one in self.columns if str(one.header) == name]:
            if self.__rich_measure__(console, options.update(max_width=UNFOLDED)).maximum <= options.max_width:
                break
            self.columns.remove(column)
            left_out.append(str(column.header))
        if left_out:
            self.caption, self.caption_justify = f"a wider terminal also shows: {', '.join(left_out)}", "left"
        yield from super().__rich_console__(console, options)


def table_of(*columns: str) -> Table:
    table = _Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in columns:
        right = column in RIGHT
        table.add_column(line(column), justify="right" if right else "left", overflow="fold", no_wrap=column in WHOLE)
    return table


def facts() -> Table:
    """A table of names and values, for `row`."""
    return Table(box=None, show_header=False)


def dollars(amount: float) -> str:
    """An amount with three digits that count, without an exponent: 0.000367."""
    places = 2 - math.floor(math.log10(amount)) if 0 < amount < 1 else 2
    return f"${amount:,.{places}f}"


def row(table: Table, *cells: Part) -> None:
    table.add_row(*map(line, cells))


def spaced(*parts: Part) -> Text:
    """The parts that have text, with two spaces between them."""
    return Text("  ").join(one for one in map(line, parts) if one)


def styled(status: str) -> Part:
    return status, STATUS_STYLES.get(status, "")


def ago(time: str, now: datetime | None = None) -> str:
    """How long before `now` an RFC 3339 time was: 'just now', '5 min ago', '3 days ago'."""
    seconds = ((now or datetime.now(UTC)) - instant(time)).total_seconds()
    for unit, length, limit in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("days", 86400, 86400 * 60)):
        if seconds < limit:
            count = int(seconds // length)
            return "just now" if seconds < 5 else f"{count} {'day' if unit == 'days' and count == 1 else unit} ago"
    return time[:10]


def size(size_bytes: float) -> str:
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"
