"""Converts Parquet files in memory to NumPy arrays and back. The only importer of arro3; loaded for Parquet only."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from arro3 import core
from arro3.io import read_parquet, write_parquet

from maas.errors import InvalidRequest
from maas.serving.datatypes import Array
from maas.serving.strings import array_of

_KINDS = (
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
)
OTHER = "other:"  # before the name of a type that no input has


@dataclass(frozen=True, slots=True)
class Column:
    """Values of many records, flat. Record i has those from `offsets[i]` to `offsets[i + 1]`; None: one each."""

    values: Array
    nulls: Array | None
    offsets: Array | None = None


@contextmanager
def _refusing() -> Iterator[None]:
    """Raises InvalidRequest for damaged data. arro3 panics on some, with a class that is no Exception."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        said = " ".join(str(error).split())
        raise InvalidRequest(
            f"input: got damaged Parquet ({said:.200}), expected a whole file", field="input"
        ) from None


def batches(file: bytes, rows: int) -> Iterator[Any]:
    """Record batches of at most `rows` rows. Raises InvalidRequest for damaged data."""
    with _refusing():
        reader = iter(read_parquet(file, batch_size=rows))
    while True:
        with _refusing():
            batch = next(reader, None)
        if batch is None:
            return
        yield batch


def types(file: bytes) -> list[tuple[str, str]]:
    """The columns in order as (name, NumPy's type name), `list:` before it for lists; OTHER and a name without one.

    Raises InvalidRequest for a damaged schema.
    """
    with _refusing():
        schema = read_parquet(file).schema
    return [(name, _type(found)) for name, found in zip(schema.names, schema.types, strict=True)]


def _type(found: Any) -> str:
    if core.DataType.is_list(found) or core.DataType.is_large_list(found) or core.DataType.is_fixed_size_list(found):
        inner = _type(found.value_type)
        return f"{OTHER}list" if ":" in inner else f"list:{inner}"
    name = str(found).partition("<")[2].partition("(")[0].strip(" >\n")  # of arro3.core.DataType<Decimal128(10, 4)>
    if not core.DataType.is_nested(found) and ("Utf8" in str(found) or "Binary" in str(found)):
        return "object"
    return next((kind for kind in _KINDS if found == getattr(core.DataType, kind)()), OTHER + name.lower())


def column(array: Any) -> Column:
    """A column of a record batch as arrays."""
    if core.DataType.is_list(array.type) or core.DataType.is_large_list(array.type):
        nulls = _nulls(array)
        offsets = core.list_offsets(array).to_numpy()
        inner = core.list_flatten(array)
        values, missing = _values(inner)
        if missing is not None:
            owners = np.searchsorted(offsets, np.flatnonzero(missing), "right") - 1
            nulls = np.zeros(len(array), np.bool_) if nulls is None else nulls
            nulls[owners] = True
        return Column(values, nulls, offsets)
    values, nulls = _values(array)
    return Column(values, nulls)


def _nulls(array: Any) -> Array | None:
    if not array.null_count:
        return None
    return np.array([value is None for value in array.to_pylist()], np.bool_)


def _values(array: Any) -> tuple[Array, Array | None]:
    if not array.null_count:
        return array.to_numpy(), None
    listed = array.to_pylist()
    nulls = np.array([value is None for value in listed], np.bool_)
    kind = _type(array.type)
    if kind == "object":
        nothing: str | bytes = b"" if "Binary" in str(array.type) else ""
        return array_of([nothing if value is None else value for value in listed]), nulls
    return np.array([0 if value is None else value for value in listed], kind), nulls


@dataclass(frozen=True, slots=True)
class Rows:
    """An output of many records, (records, *record), and which of them are null, whose values are ignored."""

    name: str
    values: Array
    nulls: Array | None


def cut(slices: Sequence[Any], rows: int) -> tuple[Any, Any]:
    """The first rows of a column, which is given as slices in order, and the others."""
    column = core.ChunkedArray(slices).combine_chunks()
    rows = min(rows, len(column))
    return column.slice(0, rows), column.slice(rows)


def table(joined: Sequence[tuple[str, Any]], outputs: Sequence[Rows]) -> bytes:
    """A Parquet file of the joined input columns and the outputs. Equal columns give equal bytes."""
    columns: dict[str, Any] = dict(joined)
    for output in outputs:
        columns[output.name] = _array(output.values, output.nulls)
    file = io.BytesIO()
    write_parquet(core.Table.from_pydict(columns), file, compression="zstd(3)", created_by="maas")
    return file.getvalue()


def empty(kind: str) -> Any:
    """A column without records, of a type as `types` names it; of strings for "", which names none."""
    if kind.startswith("list:"):
        inner = empty(kind.removeprefix("list:"))
        offsets = core.Array.from_numpy(np.zeros(1, np.int32))
        return core.list_array(offsets, inner, type=core.DataType.list(core.Field("element", inner.type)))
    if kind in ("object", ""):
        return core.Array([], core.DataType.string())
    return core.Array.from_numpy(np.empty(0, kind))


def _array(values: Array, nulls: Array | None) -> Any:
    flat = values.reshape(-1)
    found = core.Array(flat.tolist(), core.DataType.string()) if flat.dtype.hasobject else core.Array.from_numpy(flat)
    count = values.size
    for size in reversed(values.shape[1:]):
        count = count // size if size else int(np.prod(values.shape[: values.ndim - 1], dtype=int))
        offsets = core.Array.from_numpy(np.arange(count + 1, dtype=np.int32) * np.int32(size))
        found = core.list_array(offsets, found, type=core.DataType.list(core.Field("element", found.type)))
    if nulls is None:
        return found
    kept = [None if is_null else place for place, is_null in enumerate(nulls.tolist())]
    return found.take(core.Array(kept, core.DataType.int64()))
