"""What holds for every format: file names, files without records, options."""

import gzip
import io

import numpy as np
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import read_parquet, write_parquet

from maas.batch import formats
from maas.batch.formats import Options
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, stored, tensor


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.jsonl", "jsonl"),
        ("A.CSV.gz", "csv.gz"),
        ("x.tar.npy", "npy"),
        ("é.parquet", "parquet"),
        ("a.jsonl.gz", "jsonl.gz"),
    ],
)
def test_format_by_suffix(name: str, format_: str) -> None:
    assert formats.format_of(name) == format_


@pytest.mark.parametrize("name", ["", "jsonl", "a.json", "a.npy.gz", "a.parquet.gz", "a.gz"])
def test_unknown_suffix_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\.jsonl, \.csv, \.parquet, \.npy, \.jsonl\.gz, \.csv\.gz"):
        formats.format_of(name)


@pytest.mark.parametrize("format_", ["jsonl", "jsonl.gz", "csv", "csv.gz", "npy", "parquet"])
def test_empty_file_gives_an_empty_part(format_: str) -> None:
    """From the range [0, 0), which the planner gives a file without records."""
    x = tensor("x", "FP32", -1, 2)
    source = MemorySource(_without_records(format_))
    layout = stored(formats.plan(format_, source, 100).layout)
    reader = formats.reader(format_, layout, Options(), [x])
    assert list(reader.chunks(source, 0, 0, 10)) == []
    ((suffix, body),) = formats.writer(format_, layout, Options(), [x]).finish().items()
    if suffix == "x.npy":
        assert np.load(io.BytesIO(body)).shape == (0, 2)
    elif suffix == "parquet":
        assert read_parquet(body).schema.names == ["x"]
    else:
        assert body == {"csv": b"x_0,x_1,error\n", "jsonl": b""}[suffix]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
@pytest.mark.parametrize(("batch_rows", "sizes"), [(5000, [625, 1250, 2500, 5000, 625]), (1000, [1000] * 10)])
def test_a_shard_of_text_begins_with_small_batches(name: str, batch_rows: int, sizes: list[int]) -> None:
    """So that a quick model starts early; where chunks end follows from the shard's range, whenever it is read."""
    lines = {"rows.jsonl": ["[1, 2]"] * 10_000, "rows.csv": ["a,b", *["1,2"] * 10_000]}[name]
    source = MemorySource("\n".join(lines).encode())
    read = chunks(formats.format_of(name), source, [tensor("x", "FP32", -1, 2)], Cut(batch_rows=batch_rows))
    assert [[chunk.rows for chunk in part] for part in read] == [sizes]


def test_joined_columns_of_an_empty_parquet_file_keep_their_types() -> None:
    types = ["int64", "bool", "float16", "object", "list:float32", "list:object"]
    layout = {"columns": [[f"c{place}", kind] for place, kind in enumerate([*types, ""])], "index": []}
    part = formats.writer("parquet", layout, Options(join=True), [tensor("y", "FP64", -1)]).finish()["parquet"]
    found = formats.plan("parquet", MemorySource(part), 100).layout["columns"]
    assert [kind for _, kind in found] == [*types, "object", "float64"]


def _without_records(format_: str) -> bytes:
    if format_ == "npy":
        file = io.BytesIO()
        np.save(file, np.empty((0, 2), np.float32))
        return file.getvalue()
    if format_ == "parquet":
        file = io.BytesIO()
        column = Array([], DataType.float32())
        write_parquet(Table.from_pydict({"a": column, "b": column}), file)
        return file.getvalue()
    text = b"a,b\n" if format_.startswith("csv") else b""
    return gzip.compress(text) if format_.endswith("gz") else text


def test_options() -> None:
    assert Options.of({"max_errors": 3}) == Options()
    said = {"columns": ["b", "a"], "join": "input", "select": ["y"]}
    assert Options.of(said) == Options(("b", "a"), None, True, ("y",))


@pytest.mark.parametrize(
    "options",
    [
        {"join": True},
        {"join": "output"},
        {"columns": "a"},
        {"columns": []},
        {"select": [1]},
        {"exclude": ["a", "a"]},
        {"columns": ["a"], "exclude": ["b"]},
    ],
)
def test_invalid_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match=f"{list(options)[-1]}: got .* expected"):
        Options.of(options)
