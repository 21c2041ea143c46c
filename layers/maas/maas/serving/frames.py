"""Data frames as pandas writes them and MLflow's clients send them: `dataframe_split` and `dataframe_records`.

Contract: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#inference-server-specification
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.oip import kind_of

SPLIT, RECORDS = "dataframe_split", "dataframe_records"


def rows_of(document: Mapping[str, Any], required: Sequence[MetadataTensor]) -> Any:
    """The rows of the frame as `instances` has them. Raises InvalidRequest.

    Columns are inputs by name, or, in order, the features of a model's only input.
    """
    is_split = document.get(SPLIT) is not None
    names, rows = _split(document[SPLIT]) if is_split else _records(document[RECORDS])
    if len(required) == 1 and required[0].name not in names:
        return rows
    if len(set(names)) < len(names):
        raise _wrong(SPLIT, f"columns {names!s:.200}", "each name once")
    return [dict(zip(names, row, strict=True)) for row in (rows.tolist() if isinstance(rows, np.ndarray) else rows)]


def _split(frame: object) -> tuple[Sequence[str], Any]:
    columns, rows = (frame.get("columns"), frame.get("data")) if isinstance(frame, dict) else (None, None)
    if not isinstance(columns, list | np.ndarray) or not isinstance(rows, list | np.ndarray) or not len(rows):
        came = f"one with {sorted(frame)!s:.80}" if isinstance(frame, dict) else kind_of(frame)
        raise _wrong(SPLIT, came, "an object with columns and data, of at least a row, as of to_dict(orient='split')")
    names = [str(name) for name in columns]
    for index, row in enumerate(rows if isinstance(rows, list) else rows[:1]):
        if not isinstance(row, list | np.ndarray) or len(row) != len(names):
            came = f"{len(row)} values" if isinstance(row, list | np.ndarray) else kind_of(row)
            raise _wrong(f"{SPLIT}.data[{index}]", came, f"an array of {len(names)}, one for each column")
    return names, rows


def _records(frame: object) -> tuple[Sequence[str], list[list[Any]]]:
    if not isinstance(frame, list) or not frame or not isinstance(frame[0], dict):
        raise _wrong(
            RECORDS,
            "no rows" if isinstance(frame, list) and not frame else kind_of(frame),
            "an array of objects, as of to_dict(orient='records')",
        )
    names = list(frame[0])
    for index, row in enumerate(frame):
        if not isinstance(row, dict) or row.keys() != frame[0].keys():
            came = f"one with {[*row]!s:.80}" if isinstance(row, dict) else kind_of(row)
            raise _wrong(f"{RECORDS}[{index}]", came, f"an object with {names!s:.200}, as the first one")
    return names, [[row[name] for name in names] for row in frame]


def _wrong(where: str, came: str, expected: str) -> InvalidRequest:
    return InvalidRequest(f"{where}: got {came}, expected {expected}", field=where.partition(".")[0].partition("[")[0])
