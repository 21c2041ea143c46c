"""What people see of models, versions and predictions. On standard output."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maas_client.examples import commands_for
from maas_client.records import MetadataTensor, ModelVersion, RegisteredModel

if TYPE_CHECKING:
    from maas_client.records import InferenceResponse

STATUS_STYLES = {"READY": "green", "FAILED": "bold red", "VALIDATING": "yellow", "PENDING_UPLOAD": "dim"}
SHOWN_RECORDS = 20
SHOWN_VALUES = 6

console = Console(highlight=False)


def show_models(models: Sequence[RegisteredModel]) -> None:
    if not models:
        console.print("No models yet. [bold]maas push model.onnx --name my-model[/] makes one.")
        return
    table = _table("model", "newest ready", "aliases", "changed", "description")
    for model in models:
        newest = "" if model.latest_ready_version is None else str(model.latest_ready_version)
        aliases = " ".join(f"[cyan]{name}[/]→{number}" for name, number in sorted(model.aliases.items()))
        table.add_row(f"[bold]{model.name}[/]", newest, aliases, ago(model.updated_at), escape(model.description))
    console.print(table)


def show_model(model: RegisteredModel, versions: Sequence[ModelVersion]) -> None:
    about = f"[bold]{model.name}[/]  {escape(model.description)}".rstrip()
    console.print(f"{about}  [dim]made {ago(model.created_at)}, changed {ago(model.updated_at)}[/]")
    _print_tags(model.tags)
    if not versions:
        console.print(f"No versions yet. [bold]maas push model.onnx --name {model.name}[/] makes one.")
        return
    table = _table("version", "status", "aliases", "size", "made", "description")
    for version in versions:
        remark = version.description or version.status_reason or ""
        table.add_row(
            f"[bold]{version.version}[/]",
            _status(version.status),
            _aliases(version.aliases),
            size(version.size_bytes),
            ago(version.created_at),
            escape(remark),
        )
    console.print(table)


def show_version(version: ModelVersion) -> None:
    about = f"[bold]{version.model}@{version.version}[/]  {_status(version.status)}  {_aliases(version.aliases)}"
    console.print(f"{about.rstrip()}  [dim]{size(version.size_bytes)}, made {ago(version.created_at)}[/]")
    for remark in filter(None, (version.description, version.status_reason)):
        console.print(remark, markup=False)
    _print_tags(version.tags)
    if version.inputs:
        console.print(signature(version.inputs, version.outputs))
    if version.profile:
        measured = (f"{name} {value:g}" for name, value in version.profile.items() if isinstance(value, int | float))
        console.print("[dim]profile:[/] " + ", ".join(measured))
    files = _table("file", "size", "SHA-256")
    for file in version.files:
        files.add_row(escape(file.name), size(file.size_bytes), f"[dim]{file.sha256[:16]}…[/]")
    console.print(files)


def show_pushed(version: ModelVersion, url: str, alias: str | None, *, key: bool) -> None:
    """A version that has just become READY, and how to call it."""
    about = f"[bold]{version.model}@{version.version}[/] is {_status(version.status)}"
    console.print(f"{about}  {_aliases(version.aliases)}".rstrip())
    console.print(signature(version.inputs, version.outputs))
    console.print("Try it on zeros:")
    for command in commands_for(version, url, alias, key=key):
        console.print(f"\n{command}", style="bold", markup=False, soft_wrap=True)


def show_prediction(response: "InferenceResponse") -> None:
    """A row for each record when all outputs have one for each, else each output by itself."""
    console.print(f"[dim]{response.model_name}@{response.model_version}[/]")
    outputs = response.outputs
    counts = {array.shape[0] if array.ndim else None for array in outputs.values()}
    count = counts.pop() if len(counts) == 1 else None
    if count is None:
        for name, array in outputs.items():
            console.print(f"[bold]{escape(name)}[/] {list(array.shape)}: {escape(str(array))}")
        return
    table = _table("#", *(escape(name) for name in outputs))
    for index in range(min(count, SHOWN_RECORDS)):
        cells = (_brief(array[index].ravel().tolist()) for array in outputs.values())
        table.add_row(f"[dim]{index}[/]", *map(escape, cells))
    console.print(table)
    if count > SHOWN_RECORDS:
        console.print(f"[dim]… and {count - SHOWN_RECORDS} more records; --json gives all[/]")


def signature(inputs: Iterable[MetadataTensor], outputs: Iterable[MetadataTensor]) -> Table:
    table = _table("", "name", "datatype", "shape")
    for way, tensors in (("input", inputs), ("output", outputs)):
        for tensor in tensors:
            shape = " × ".join("any" if dimension == -1 else str(dimension) for dimension in tensor.shape)
            table.add_row(f"[dim]{way}[/]", f"[bold]{escape(tensor.name)}[/]", tensor.datatype, shape or "scalar")
    return table


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


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in columns:
        right = column in ("size", "newest ready", "version", "#")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _print_tags(tags: Mapping[str, str]) -> None:
    if tags:
        console.print("[dim]tags:[/] " + " ".join(escape(f"{key}={value}") for key, value in sorted(tags.items())))


def _status(status: str) -> str:
    return f"[{STATUS_STYLES.get(status, 'default')}]{status}[/]"


def _aliases(aliases: Iterable[str]) -> str:
    return " ".join(f"[cyan]{name}[/]" for name in aliases)


def _brief(values: Sequence[object]) -> str:
    shown = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values[:SHOWN_VALUES]]
    return " ".join(shown) + (f" … ({len(values)})" if len(values) > SHOWN_VALUES else "")
