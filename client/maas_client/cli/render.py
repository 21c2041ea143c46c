"""Models, versions and predictions as tables on standard output."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from maas_client.cli.examples import commands_for
from maas_client.cli.looks import ago, console, size, styled, table_of
from maas_client.cli.measured import profile_table, quantized_line
from maas_client.model_records import HistoryEntry, MetadataTensor, ModelVersion, RegisteredModel

if TYPE_CHECKING:
    from maas_client.model_records import InferenceResponse

SHOWN_RECORDS = 20
SHOWN_VALUES = 6
SHOWN_CHARACTERS = 24


def show_models(models: Sequence[RegisteredModel], *, filtered: bool) -> None:
    if not models:
        hint = "[bold]maas push model.onnx --name my-model[/] creates one."
        console.print("No matching models." if filtered else f"No models yet. {hint}")
        return
    table = table_of("model", "status", "newest ready", "aliases", "changed", "description")
    for model in models:
        newest = "" if model.latest_ready_version is None else str(model.latest_ready_version)
        aliases = " ".join(f"[cyan]{name}[/]→{number}" for name, number in sorted(model.aliases.items()))
        table.add_row(
            f"[bold]{model.name}[/]",
            styled(model.status),
            newest,
            aliases,
            ago(model.updated_at),
            escape(model.description),
        )
    console.print(table)


def show_model(model: RegisteredModel, versions: Sequence[ModelVersion]) -> None:
    about = f"[bold]{model.name}[/]  {escape(model.description)}".rstrip()
    console.print(f"{about}  [dim]created {ago(model.created_at)}, changed {ago(model.updated_at)}[/]")
    if model.deleted_at:
        console.print(f"{_deleted(model.deleted_at)}: [bold]maas restore {model.name}[/] brings it back.")
    _print_tags(model.tags)
    show_versions(model.name, versions, filtered=False)


def show_versions(model: str, versions: Sequence[ModelVersion], *, filtered: bool) -> None:
    if not versions:
        hint = f"[bold]maas push model.onnx --name {model}[/] creates one."
        console.print("No matching versions." if filtered else f"No versions yet. {hint}")
        return
    table = table_of("version", "status", "aliases", "size", "created", "description")
    for version in versions:
        remark = version.description or version.status_reason or ""
        table.add_row(
            f"[bold]{version.version}[/]",
            _deleted(version.deleted_at) if version.deleted_at else styled(version.status),
            _aliases(version.aliases),
            size(version.size_bytes),
            ago(version.created_at),
            escape(remark),
        )
    console.print(table)


def show_version(version: ModelVersion) -> None:
    about = f"[bold]{version.model}@{version.version}[/]  {styled(version.status)}  {_aliases(version.aliases)}"
    console.print(f"{about.rstrip()}  [dim]{size(version.size_bytes)}, created {ago(version.created_at)}[/]")
    if version.deleted_at:
        back = f"[bold]maas restore {version.model}@{version.version}[/] brings it back."
        console.print(f"{_deleted(version.deleted_at)}: {back}")
    for remark in filter(None, (version.description, version.status_reason)):
        console.print(remark, markup=False)
    _print_tags(version.tags)
    if version.inputs:
        console.print(signature(version.inputs, version.outputs))
    if version.profile:
        console.print(profile_table(version.profile, version.variants))
    if version.quantized:
        console.print(quantized_line(version.quantized), markup=False)
    files = table_of("file", "size", "SHA-256")
    for file in version.files:
        files.add_row(escape(file.name), size(file.size_bytes), f"[dim]{file.sha256[:16]}…[/]")
    console.print(files)


def show_pushed(version: ModelVersion, url: str, alias: str | None, *, key: bool) -> None:
    """A new READY version, and how to call it."""
    about = f"[bold]{version.model}@{version.version}[/] is {styled(version.status)}"
    console.print(f"{about}  {_aliases(version.aliases)}".rstrip())
    console.print(signature(version.inputs, version.outputs))
    if version.quantized:
        console.print(quantized_line(version.quantized), markup=False)
    console.print("Try it on zeros:")
    for command in commands_for(version, url, alias, key=key):
        console.print(f"\n{command}", style="bold", markup=False, soft_wrap=True)


def show_tagged(reference: str, changed: RegisteredModel | ModelVersion) -> None:
    about = f"[bold]{reference}[/]  {escape(changed.description)}".rstrip()
    console.print(about if changed.tags else f"{about}  [dim]no tags[/]")
    _print_tags(changed.tags)


def show_history(entries: Sequence[HistoryEntry]) -> None:
    if not entries:
        console.print("No matching changes.")
        return
    table = table_of("#", "when", "what", "of", "change", "who")
    for entry in entries:
        of = f"[cyan]{escape(entry.alias)}[/]" if entry.alias else f"@{entry.version}" if entry.version else ""
        who = escape(entry.actor)
        table.add_row(f"[dim]{entry.revision}[/]", ago(entry.at), entry.kind, of, escape(_changed(entry)), who)
    console.print(table)


def _changed(entry: HistoryEntry) -> str:
    """The difference it made: 'version 1 → 2', 'status VALIDATING → READY'."""
    before, after = entry.before or {}, entry.after or {}
    changes = []
    for name in before | after:
        old, new = _shown(before.get(name)), _shown(after.get(name))
        if old != new:
            changes.append(f"{name} {old} → {new or 'none'}" if old else f"{name} {new}")
    return ", ".join(changes)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        text = " ".join(f"{key}={one}" for key, one in value.items())
    elif isinstance(value, list):
        text = " ".join(map(str, value))
    else:
        text = "" if value is None else str(value)
    return f"{text[:SHOWN_CHARACTERS]}…" if len(text) > SHOWN_CHARACTERS else text


def show_prediction(response: "InferenceResponse") -> None:
    """A row for each record if every output has one value for each; otherwise each output by itself."""
    console.print(f"[dim]{response.model_name}@{response.model_version}[/]")
    outputs = response.outputs
    counts = {array.shape[0] if array.ndim else None for array in outputs.values()}
    count = counts.pop() if len(counts) == 1 else None
    if count is None:
        for name, array in outputs.items():
            console.print(f"[bold]{escape(name)}[/] {list(array.shape)}: {escape(str(array))}")
        return
    table = table_of("#", *(escape(name) for name in outputs))
    for index in range(min(count, SHOWN_RECORDS)):
        cells = (_brief(array[index].ravel().tolist()) for array in outputs.values())
        table.add_row(f"[dim]{index}[/]", *map(escape, cells))
    console.print(table)
    if count > SHOWN_RECORDS:
        console.print(f"[dim]… and {count - SHOWN_RECORDS} more records; --json gives all[/]")


def signature(inputs: Iterable[MetadataTensor], outputs: Iterable[MetadataTensor]) -> Table:
    table = table_of("", "name", "datatype", "shape")
    for way, tensors in (("input", inputs), ("output", outputs)):
        for tensor in tensors:
            shape = " × ".join("any" if dimension == -1 else str(dimension) for dimension in tensor.shape)
            table.add_row(f"[dim]{way}[/]", f"[bold]{escape(tensor.name)}[/]", tensor.datatype, shape or "scalar")
    return table


def _print_tags(tags: Mapping[str, str]) -> None:
    if tags:
        console.print("[dim]tags:[/] " + " ".join(escape(f"{key}={value}") for key, value in sorted(tags.items())))


def _deleted(deleted_at: str) -> str:
    return f"{styled('DELETED')} [dim]{ago(deleted_at)}[/]"


def _aliases(aliases: Iterable[str]) -> str:
    return " ".join(f"[cyan]{name}[/]" for name in aliases)


def _brief(values: Sequence[object]) -> str:
    shown = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values[:SHOWN_VALUES]]
    return " ".join(shown) + (f" … ({len(values)})" if len(values) > SHOWN_VALUES else "")
