"""Predictions on standard output: a row for each record where an output has one, otherwise each output by itself."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maas_client.cli.looks import row, say, show, table_of

if TYPE_CHECKING:
    import numpy as np

    from maas_client.records.inference import InferenceResponse, MetadataTensor

SHOWN_RECORDS, SHOWN_VALUES = 20, 6
LABELS = "_labels"  # of the output of this name without it: its columns, from a model's ZipMap


def show_prediction(
    response: "InferenceResponse", declared: Sequence["MetadataTensor"], records: int | None = None
) -> None:
    """`declared` are the outputs of the model's signature; `records` is the number of records sent, if known."""
    say((f"{response.model_name}@{response.model_version}", "dim"))
    labels = labels_of(response.outputs)
    values = {name: array for name, array in response.outputs.items() if name not in labels}
    columns = {name: labels.get(f"{name}{LABELS}") for name in values}
    first = {tensor.name: tensor.shape[0] if tensor.shape else None for tensor in declared}
    if records is None:
        records = _only_size(array.shape[0] for name, array in values.items() if array.ndim and first.get(name) == -1)
    rows = {
        name: array
        for name, array in values.items()
        if records and array.ndim and array.shape[0] == records and first.get(name, -1) in (-1, records)
    }
    if rows and records:
        _show_rows(rows, columns, records)
    for name, array in values.items():
        if name not in rows:
            _show_output(name, array, columns[name])


def _only_size(sizes: Iterable[int]) -> int | None:
    found = set(sizes)
    return found.pop() if len(found) == 1 else None


def labels_of(outputs: Mapping[str, "np.ndarray"]) -> dict[str, list[str]]:
    """Outputs that name the columns of another: y_labels, of shape [classes], for y, of shape [records, classes]."""
    found = {}
    for name, array in outputs.items():
        of = outputs.get(name.removesuffix(LABELS)) if name.endswith(LABELS) else None
        if of is not None and array.ndim == 1 and of.ndim == 2 and of.shape[1] == array.shape[0]:
            found[name] = [_text(value) for value in array.tolist()]
    return found


def _show_rows(rows: Mapping[str, "np.ndarray"], columns: Mapping[str, list[str] | None], records: int) -> None:
    table = table_of("#", *rows)
    for index in range(min(records, SHOWN_RECORDS)):
        cells = (_brief(array[index : index + 1].ravel().tolist(), columns[name]) for name, array in rows.items())
        row(table, (str(index), "dim"), *cells)
    show(table)
    if records > SHOWN_RECORDS:
        say((f"… and {records - SHOWN_RECORDS:,} more records; --json gives all", "dim"))


def _show_output(name: str, array: "np.ndarray", columns: list[str] | None) -> None:
    """Name, shape and the first values; of an output with columns, a line for each of the first rows."""
    shape = " × ".join(map(str, array.shape)) or "scalar"
    if columns is None:
        say((name, "bold"), f"  {shape}:  ", _brief(array.ravel()[: SHOWN_VALUES + 1].tolist(), None, array.size))
        return
    say((name, "bold"), f"  {shape}")
    for values in array[:SHOWN_RECORDS].tolist():
        say("  ", _brief(values, columns))


def _brief(values: Sequence[Any], names: list[str] | None, count: int | None = None) -> str:
    """The first values: '0.1 0.2 … (10)', with names 'cat 0.1, dog 0.9'."""
    texts = [_text(value) for value in values[:SHOWN_VALUES]]
    shown = " ".join(texts) if names is None else ", ".join(map(" ".join, zip(names, texts, strict=False)))
    count = len(values) if count is None else count
    return f"{shown} … ({count:,})" if count > SHOWN_VALUES else shown


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
