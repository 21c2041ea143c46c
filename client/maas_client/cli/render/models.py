"""Models, versions and their history as tables on standard output."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from maas_client.cli.looks import Part, ago, line, row, say, show, size, spaced, styled, table_of
from maas_client.cli.measured import profile_table, quantized_line
from maas_client.cli.shares import in_short, routes_in
from maas_client.records.inference import MetadataTensor
from maas_client.records.models import HistoryEntry, ModelVersion, RegisteredModel

SHOWN_CHARACTERS, LONGEST_PARAMETER = 24, 80
KNOWN_ELSEWHERE = ("figures", "status", "weight")  # of a rollout: by its kind and routes, or in --json


def show_models(models: Sequence[RegisteredModel], *, filtered: bool) -> None:
    if not models:
        _nothing("models", filtered=filtered, name="my-model")
        return
    table = table_of("model", "status", "newest ready", "aliases", "changed", "description")
    for model in models:
        row(
            table,
            (model.name, "bold"),
            styled(model.status),
            "" if model.latest_ready_version is None else str(model.latest_ready_version),
            Text(" ").join(line((name, "cyan"), f"→{_leads(model, name)}") for name in sorted(model.aliases)),
            ago(model.updated_at),
            model.description,
        )
    show(table)


def show_model(model: RegisteredModel, versions: Sequence[ModelVersion]) -> None:
    times = f"created {ago(model.created_at)}, changed {ago(model.updated_at)}"
    say(spaced((model.name, "bold"), model.description, (times, "dim")))
    if model.deleted_at:
        _deleted(model.deleted_at, model.name)
    _show_tags(model.tags)
    for alias, routes in sorted(model.splits.items()):
        say((alias, "cyan"), " shares its requests: ", in_short(routes))
    show_versions(model.name, versions, filtered=False)


def _leads(model: RegisteredModel, alias: str) -> str:
    """'2', or '3=10,2=90'."""
    routes = model.splits.get(alias)
    return in_short(routes).replace(" ", ",") if routes else str(model.aliases[alias])


def show_versions(model: str, versions: Sequence[ModelVersion], *, filtered: bool) -> None:
    if not versions:
        _nothing("versions", filtered=filtered, name=model)
        return
    table = table_of("version", "status", "aliases", "size", "created", "description")
    for version in versions:
        row(
            table,
            (str(version.version), "bold"),
            spaced(styled("DELETED"), (ago(version.deleted_at), "dim"))
            if version.deleted_at
            else styled(version.status),
            (" ".join(version.aliases), "cyan"),
            size(version.size_bytes),
            ago(version.created_at),
            version.description or version.status_reason or "",
        )
    show(table)


def show_version(version: ModelVersion) -> None:
    say(spaced(*_heading(version), (f"{size(version.size_bytes)}, created {ago(version.created_at)}", "dim")))
    if version.deleted_at:
        _deleted(version.deleted_at, f"{version.model}@{version.version}")
    for remark in filter(None, (version.description, version.status_reason)):
        say(remark)
    _show_warnings(version)
    _show_tags(version.tags)
    _show_task(version)
    if version.inputs:
        show(signature(version.inputs, version.outputs))
    if version.profile:
        show(profile_table(version.profile, version.variants))
    if version.quantized:
        say(quantized_line(version.quantized))
    files = table_of("file", "size", "SHA-256")
    for file in version.files:
        row(files, file.name, size(file.size_bytes), (f"{file.sha256[:16]}…", "dim"))
    show(files)


def show_pushed(version: ModelVersion, examples: Sequence[str]) -> None:
    """A new READY version; `examples` are commands that call it."""
    name, status, *aliases = _heading(version)
    say(spaced(line(name, " is ", status), *aliases))
    _show_task(version)
    show(signature(version.inputs, version.outputs))
    _show_warnings(version)
    if version.quantized:
        say(quantized_line(version.quantized))
    if examples:
        say("Try it:" if version.task else "Try it with the input that ran at its deployment:")
    for command in examples:
        say()
        say((command, "bold"))


def _show_task(version: ModelVersion) -> None:
    """The task with its parameters, and where each came from."""
    task = version.task
    if task is None:
        return
    found_in = task.origins.get("task")
    say(spaced(line("task ", (task.name, "bold")), (f"from {found_in}" if found_in else "", "dim")))
    table = table_of("parameter", "value", "from")
    for name, value in task.parameters.items():
        row(table, (name, "dim"), _parameter(value), (task.origins.get(name, ""), "dim"))
    show(table)


def _parameter(value: object) -> str:
    """'mean_tokens', 'negative, positive', '3 values'."""
    if isinstance(value, list | tuple):
        text = ", ".join(map(str, value))
        return text if len(text) <= LONGEST_PARAMETER else f"{len(value):,} values"
    if isinstance(value, dict):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def show_tagged(reference: str, changed: RegisteredModel | ModelVersion) -> None:
    say(spaced((reference, "bold"), changed.description, ("" if changed.tags else "no tags", "dim")))
    _show_tags(changed.tags)


def show_history(entries: Sequence[HistoryEntry]) -> None:
    if not entries:
        say("No matching changes.")
        return
    table = table_of("#", "when", "what", "of", "change", "who")
    for entry in entries:
        row(
            table,
            (str(entry.revision), "dim"),
            ago(entry.at),
            entry.kind,
            (entry.alias, "cyan") if entry.alias else f"@{entry.version}" if entry.version else "",
            _changed(entry),
            entry.actor,
        )
    show(table)


def _changed(entry: HistoryEntry) -> str:
    """The difference it made: 'version 1 → 2', 'status VALIDATING → READY'."""
    before, after = entry.before or {}, entry.after or {}
    changes = []
    for name in before | after:
        old, new = _short(before.get(name)), _short(after.get(name))
        if name in KNOWN_ELSEWHERE and entry.kind.startswith("rollout."):
            continue
        if name == "reason":
            changes.append(_cut(str(after.get(name)), LONGEST_PARAMETER))
        elif old != new:
            changes.append(f"{name} {old} → {new or 'none'}" if old else f"{name} {new}")
    return ", ".join(changes)


def _short(value: object) -> str:
    if routes := routes_in(value):
        return routes
    if isinstance(value, dict):
        text = " ".join(f"{key}={routes_in(one) or one}" for key, one in value.items())
    elif isinstance(value, list):
        text = " ".join(map(str, value))
    else:
        text = "" if value is None else str(value)
    return _cut(text, SHOWN_CHARACTERS)


def _cut(text: str, characters: int) -> str:
    return f"{text[:characters]}…" if len(text) > characters else text


def signature(inputs: Iterable[MetadataTensor], outputs: Iterable[MetadataTensor]) -> Table:
    table = table_of("", "name", "datatype", "shape")
    for way, tensors in (("input", inputs), ("output", outputs)):
        for tensor in tensors:
            shape = " × ".join("any" if dimension == -1 else str(dimension) for dimension in tensor.shape)
            which = f"optional {way}" if tensor.is_optional else way
            row(table, (which, "dim"), (tensor.name, "bold"), tensor.datatype, shape or "scalar")
    return table


def _heading(version: ModelVersion) -> list[Part]:
    return [
        (f"{version.model}@{version.version}", "bold"),
        styled(version.status),
        (" ".join(version.aliases), "cyan"),
    ]


def _nothing(kind: str, *, filtered: bool, name: str) -> None:
    if filtered:
        say(f"No matching {kind}.")
    else:
        say(f"No {kind} yet. ", (f"maas push model.onnx --name {name}", "bold"), " creates one.")


def _deleted(deleted_at: str, reference: str) -> None:
    when = spaced(styled("DELETED"), (ago(deleted_at), "dim"))
    say(when, ": ", (f"maas restore {reference}", "bold"), " brings it back.")


def _show_tags(tags: Mapping[str, str]) -> None:
    if tags:
        say(("tags:", "dim"), " ", " ".join(f"{key}={value}" for key, value in sorted(tags.items())))


def _show_warnings(version: ModelVersion) -> None:
    for warning in version.warnings:
        say(("warning:", "yellow"), " ", warning)
