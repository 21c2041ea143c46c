"""Parquet as input: single row groups are read, cuts do not change records, nulls are errors of their records."""

import json
import math
from typing import Any

import numpy as np
import pytest
from arro3.core import Array, DataType, Field, fixed_size_list_array, list_array, struct_array
from arro3.io import read_parquet
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.batch import formats
from maas.batch.formats import Options
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, echoed, records, tensor
from support.batch.parquet_tables import FEATURES, NAMED, TYPES, lists, of_rows, read, saved

CUTS = st.builds(Cut, st.integers(1, 300), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
NUMBER = st.floats(width=32, allow_nan=False)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "a": NUMBER | st.sampled_from([None, 1e300]),
            "n": st.integers(-300, 300) | st.none(),
            "word": st.text(max_size=3) | st.none(),
            "pair": st.lists(NUMBER | st.none(), min_size=2, max_size=2) | st.sampled_from([None, [], [1.0, 2.0, 3.0]]),
            "many": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3) | st.none(),
            "id": st.integers(0, 9),
        }
    ),
    max_size=9,
)


def is_good(row: dict[str, Any]) -> bool:
    return (
        row["a"] is not None
        and (abs(row["a"]) < 1e39 or math.isinf(row["a"]))
        and row["n"] is not None
        and -128 <= row["n"] <= 127
        and row["word"] is not None
        and row["many"] is not None
        and row["pair"] is not None
        and len(row["pair"]) == 2
        and None not in row["pair"]
    )


@pytest.mark.full
@settings(max_examples=60)
@given(
    ROWS,
    st.integers(1, 6),
    st.sampled_from(["snappy", "zstd(1)", "uncompressed", "gzip(1)", "lz4_raw", "brotli(1)"]),
    CUTS,
)
def test_parquet_cuts_do_not_change_records(rows: Any, group: int, compression: str, cut: Cut) -> None:
    source = of_rows(rows, max_row_group_size=group, compression=compression)
    one_by_one = records(chunks("parquet", source, NAMED, Cut()))
    assert [isinstance(record, dict) for record in one_by_one] == [is_good(row) for row in rows]
    assert records(chunks("parquet", source, NAMED, cut)) == one_by_one
    outputs = [tensor(f"out_{one.name}", one.datatype, *one.shape) for one in NAMED]
    parts = joined(source, outputs, cut)
    back = read(parts)
    assert [{name: row[name] for name in TYPES} for row in back] == rows
    for place, (row, found) in enumerate(zip(rows, back, strict=True)):
        if is_good(row):
            assert found["out_pair"] == row["pair"]
            assert found["out_many"] == row["many"], place
            assert found["out_word"] == [row["word"]]
            assert found["out_n"] == row["n"]
        else:
            assert [found[one.name] for one in outputs] == [None] * len(outputs)
    told = [json.loads(line) for part in parts for line in part.get("errors.jsonl", b"").splitlines()]
    assert [one["record"] for one in told] == [place for place, row in enumerate(rows) if not is_good(row)]


def joined(source: MemorySource, outputs: Any, cut: Cut) -> list[dict[str, bytes]]:
    """Like `echoed`, with renamed outputs. `out_many` has one width in a part, as an array has."""
    options = Options(join=True)
    layout = formats.plan("parquet", source, 1 << 30).layout
    parts = []
    for part in chunks("parquet", source, NAMED, Cut(cut.shard_bytes, cut.pieces, 1, cut.batch_rows), options):
        writer = formats.writer("parquet", layout, options, outputs)
        for chunk in part:
            writer.add(chunk, {f"out_{name}": array for name, array in chunk.inputs.items()}, chunk.errors)
        if part:
            parts.append(writer.finish())
    return parts


def test_columns_and_exclude_choose_features() -> None:
    columns = {
        "b": Array([1, 3], DataType.int16()),
        "id": Array(["x", "y"], DataType.string()),
        "a": Array([2, 4], DataType.float64()),
    }
    source = saved(columns)
    for options, expected in (
        (Options(exclude=("id",)), [[1.0, 2.0], [3.0, 4.0]]),
        (Options(columns=("a", "b")), [[2.0, 1.0], [4.0, 3.0]]),
    ):
        assert [row["x"] for row in read(echoed("parquet", source, FEATURES, Cut(batch_rows=5), options))] == expected
    with pytest.raises(InvalidRequest, match=r"column 'id': got object, expected values that can be FP32"):
        records(chunks("parquet", source, FEATURES, Cut(), Options(columns=("id", "a"))))


@pytest.mark.parametrize("names", [["a", "b", "c", "d"], ["d", "c", "b", "a"], ["b", "d", "a", "c"]])
def test_layout_keeps_the_order_of_columns(names: list[str]) -> None:
    source = saved({name: Array([float(place)], DataType.float64()) for place, name in enumerate(names)})
    options = Options(join=True)
    (part,) = echoed("parquet", source, [tensor("x", "FP32", -1, 4)], Cut(), options)
    (row,) = read([part])
    assert row == {name: float(place) for place, name in enumerate(names)} | {"x": [0.0, 1.0, 2.0, 3.0]}
    assert list(row) == [*names, "x"]


@pytest.mark.parametrize("kind", [DataType.binary(), DataType.large_binary(), DataType.string()])
def test_null_among_bytes_fails_alone(kind: DataType) -> None:
    words: list[Any] = ["a", None, "ä"] if kind == DataType.string() else [b"a", None, "ä".encode()]
    signature = [tensor("word", "BYTES", -1, 1)]
    first, bad, last = records(chunks("parquet", saved({"word": Array(words, kind)}), signature, Cut(batch_rows=8)))
    assert (first, bad, last) == ({"word": ["a"]}, "column 'word': got null, expected BYTES values", {"word": ["ä"]})
    many = saved({"many": lists([words, words[:1]], kind)})
    bad, good = records(chunks("parquet", many, [tensor("many", "BYTES", -1, -1)], Cut(batch_rows=8)))
    assert (bad, good) == ("column 'many': got null, expected BYTES values", {"many": ["a"]})
    (nothing,) = records(chunks("parquet", saved({"word": Array([None], kind)}), signature, Cut()))
    assert nothing == "column 'word': got null, expected BYTES values"


def test_fixed_size_lists_are_not_copied() -> None:
    values = np.arange(20_000, dtype=np.float32)
    source = saved({"x": fixed_size_list_array(Array.from_numpy(values), 2)})
    (part,) = chunks("parquet", source, FEATURES, Cut(batch_rows=4096))
    assert [chunk.rows for chunk in part] == [4096, 4096, 1808]
    np.testing.assert_array_equal(np.concatenate([chunk.inputs["x"] for chunk in part]), values.reshape(-1, 2))
    assert all(chunk.inputs["x"].base is not None for chunk in part)


def test_only_wanted_columns_and_row_groups_are_read() -> None:
    rows = 400_000
    random = np.random.default_rng(0)
    columns = {name: Array.from_numpy(random.random(rows)) for name in ("a", "b", "c", "d")}
    source = saved(columns, max_row_group_size=rows // 10, dictionary_enabled=False)
    plan = formats.plan("parquet", source, 4 << 20)
    assert source.read_bytes <= (64 << 10) + 4
    assert len(plan.shards) == 4
    assert all(start % (rows // 10) == 0 for start, _ in plan.shards)
    source.reads.clear()
    reader = formats.reader("parquet", plan.layout, Options(columns=("a", "c")), FEATURES)
    start, end = plan.shards[1]
    assert sum(chunk.rows for chunk in reader.chunks(source, start, end, 1000)) == end - start
    assert len(source.reads) == 2 * 3  # two columns with another between them in each row group; the footer is known
    assert source.read_bytes < (end - start) * 2 * 8 * 1.1 + (64 << 10)


def test_adjacent_columns_are_one_read() -> None:
    columns = {f"f{place}": Array.from_numpy(np.zeros(100, np.float32)) for place in range(64)}
    source = saved(columns, max_row_group_size=50)
    plan = formats.plan("parquet", source, 1 << 20)
    source.reads.clear()
    reader = formats.reader("parquet", plan.layout, Options(), [tensor("x", "FP32", -1, 64)])
    assert sum(chunk.rows for chunk in reader.chunks(source, *plan.shards[0], 100)) == 100
    assert len(source.reads) == 2  # a row group each


def pandas(*index: object) -> dict[str, str]:
    return {"pandas": json.dumps({"index_columns": index, "columns": []}), "ARROW:schema": "x"}


@pytest.mark.parametrize(
    ("index", "metadata"),
    [
        (["__index_level_0__"], {}),
        (["__index_level_0__", "__index_level_1__"], pandas("__index_level_0__", "__index_level_1__")),
        (["id"], pandas("id")),
        ([], pandas({"kind": "range", "start": 0, "stop": 1, "step": 1})),
        ([], {"pandas": "{"}),
        ([], {"pandas": "[]"}),
        ([], {"pandas": '{"index_columns": 3}'}),
    ],
)
def test_index_of_pandas_is_no_feature(index: list[str], metadata: dict[str, str]) -> None:
    columns = {name: Array.from_numpy(np.array([value])) for name, value in (("a", 1.0), ("b", 2.0))}
    columns |= {name: Array.from_numpy(np.array([7])) for name in index}
    source = saved(columns, key_value_metadata=metadata)
    assert formats.plan("parquet", source, 100).layout["index"] == index
    assert [row["x"] for row in read(echoed("parquet", source, FEATURES, Cut()))] == [[1.0, 2.0]]
    (joined,) = read(echoed("parquet", source, FEATURES, Cut(), Options(join=True)))
    assert list(joined) == ["a", "b", *index, "x"]
    if index:
        (named,) = read(echoed("parquet", source, FEATURES, Cut(), Options(columns=("a", index[0]))))
        assert named["x"] == [1.0, 7.0]


def test_index_that_is_an_input_by_name() -> None:
    source = saved({"id": Array.from_numpy(np.array([7]))}, key_value_metadata=pandas("id"))
    assert [row["id"] for row in read(echoed("parquet", source, [tensor("id", "INT64", -1)], Cut()))] == [7]


def test_large_row_group_is_cut_by_rows() -> None:
    source = saved({"x": Array.from_numpy(np.arange(50_000.0))})
    plan = formats.plan("parquet", source, 100_000)
    assert len(plan.shards) > 3
    parts = list(chunks("parquet", source, [tensor("x", "FP64", -1)], Cut(100_000, batch_rows=1000)))
    values = np.concatenate([chunk.inputs["x"] for part in parts for chunk in part])
    np.testing.assert_array_equal(values, np.arange(50_000.0))


def test_parquet_of_no_row_and_one_row() -> None:
    for rows in ([], [{"a": 1.0, "n": 2, "word": "w", "pair": [1.0, 2.0], "many": [], "id": 0}]):
        assert len(records(chunks("parquet", of_rows(rows), NAMED, Cut(batch_rows=4)))) == len(rows)
    empty = formats.writer("parquet", {"columns": [], "index": []}, Options(), NAMED).finish()
    assert read_parquet(empty["parquet"]).schema.names == ["a", "n", "word", "pair", "many"]


def test_unbatched_model_runs_row_by_row() -> None:
    source = saved({"x": fixed_size_list_array(Array.from_numpy(np.arange(6, dtype=np.float32)), 2)})
    signature = [tensor("x", "FP32", 1, 2)]
    read_ = [one for part in chunks("parquet", source, signature, Cut(batch_rows=9)) for one in part]
    assert [(one.rows, one.whole, one.inputs["x"].shape) for one in read_] == [(1, True, (1, 2))] * 3
    assert [row["x"] for row in read(echoed("parquet", source, signature, Cut()))] == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("columns", "signature", "said"),
    [
        ({"y": Array([1.0], DataType.float32())}, NAMED, "columns: got .*, expected a column for each input"),
        (
            {"x": Array([1.5], DataType.float64())},
            [tensor("x", "INT64", -1)],
            "column 'x': got float64, expected values that",
        ),
        (
            {"x": lists([[1.5]], DataType.float64())},
            [tensor("x", "FP64", -1)],
            "columns: got|column 'x': got",
        ),
        (
            {"x": list_array(Array.from_numpy(np.array([0, 1], np.int32)), lists([[1.5]], DataType.float64()))},
            FEATURES,
            "columns: got 1",
        ),
        (
            {"x": struct_array([Array(["a"], DataType.string())], fields=[Field("a", DataType.string())])},
            [tensor("x", "BYTES", -1)],
            "column 'x': got struct, expected numbers, booleans or text for input 'x'",
        ),
        (
            {"x": Array([1], DataType.int32()).cast(DataType.date32())},
            [tensor("x", "INT32", -1)],
            "column 'x': got date32, expected numbers, booleans or text for input 'x'",
        ),
        (
            {"x": Array(["1.5"], DataType.string()).cast(DataType.decimal128(10, 4))},
            [tensor("x", "FP64", -1)],
            r"column 'x': got decimal128, expected numbers, .* for input 'x' \[\]: cast it, decimals to double",
        ),
    ],
)
def test_misfit_columns_fail_the_job(columns: Any, signature: Any, said: str) -> None:
    layout = formats.plan("parquet", saved(columns), 1000).layout
    with pytest.raises(InvalidRequest, match=said):
        formats.reader("parquet", layout, Options(), signature)
