"""Tables in Parquet, written and read without the code that is tested."""

import io
from typing import Any

import numpy as np
from arro3.core import Array, DataType, Table, list_array
from arro3.io import read_parquet, write_parquet

from support.batch.files import MemorySource, tensor

NAMED = [
    tensor("a", "FP32", -1, 1),
    tensor("n", "INT8", -1),
    tensor("word", "BYTES", -1, 1),
    tensor("pair", "FP64", -1, 2),
    tensor("many", "INT64", -1, -1),
]
FEATURES = [tensor("x", "FP32", -1, 2)]
TYPES = {
    "a": DataType.float64(),
    "n": DataType.int32(),
    "word": DataType.string(),
    "pair": DataType.float64(),
    "many": DataType.int64(),
    "id": DataType.int64(),
}


def saved(columns: dict[str, Any], **options: Any) -> MemorySource:
    file = io.BytesIO()
    write_parquet(Table.from_pydict(columns), file, **options)
    return MemorySource(file.getvalue())


def of_rows(rows: list[dict[str, Any]], **options: Any) -> MemorySource:
    columns = {name: [row[name] for row in rows] for name in TYPES}
    made = {name: (lists if name in ("pair", "many") else Array)(columns[name], kind) for name, kind in TYPES.items()}
    return saved(made, **options)


def lists(values: list[list[Any] | None], kind: DataType) -> Array:
    offsets = np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32)
    flat = Array([one for value in values for one in value or ()], kind)
    kept = [None if value is None else place for place, value in enumerate(values)]
    return list_array(Array.from_numpy(offsets), flat).take(Array(kept, DataType.int64()))


def read(parts: list[dict[str, bytes]]) -> list[dict[str, Any]]:
    found = []
    for part in parts:
        for batch in read_parquet(part["parquet"]):
            columns = {name: batch.column(name).to_pylist() for name in batch.column_names}
            found += [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return found
