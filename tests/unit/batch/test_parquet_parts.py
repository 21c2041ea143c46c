"""Parquet as output: columns of any rank, and parts whose bytes do not follow from their chunks."""

from itertools import chain

import numpy as np
import pytest
from arro3.core import Array, DataType, fixed_size_list_array

from maas.batch import formats
from maas.batch.formats import Options
from maas.batch.formats.parquet.parquet_file import check, read_footer
from maas.batch.formats.parquet.parquet_writer import GROUP_ROWS
from support.batch.files import Cut, MemorySource, chunks, tensor
from support.batch.parquet_tables import FEATURES, read, saved


def test_parquet_outputs_of_any_rank() -> None:
    source = saved({"x": fixed_size_list_array(Array.from_numpy(np.ones(4, np.float32)), 2)})
    outputs = [
        tensor("deep", "FP32", -1, 2, 3),
        tensor("none", "INT8", -1, 0),
        tensor("is", "BOOL", -1),
        tensor("h", "FP16", -1),
    ]
    writer = formats.writer("parquet", {"columns": []}, Options(), outputs)
    ((chunk,),) = chunks("parquet", source, FEATURES, Cut(batch_rows=2))
    deep = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    predicted = {"deep": deep, "none": np.empty((1, 0), np.int8), "is": np.array([True]), "h": np.ones(1, np.float16)}
    writer.add(chunk, predicted, {0: "no luck"})
    assert read([writer.finish()]) == [
        {"deep": None, "none": None, "is": None, "h": None},
        {"deep": deep[0].tolist(), "none": [], "is": True, "h": 1.0},
    ]


def test_parquet_writer_size_counts_string_lengths() -> None:
    source = saved({"x": fixed_size_list_array(Array.from_numpy(np.ones(8, np.float32)), 2)})
    writer = formats.writer("parquet", {"columns": []}, Options(), [tensor("w", "BYTES", -1)])
    ((chunk,),) = chunks("parquet", source, FEATURES, Cut(batch_rows=4))
    writer.add(chunk, {"w": np.array(["a" * 100_000, "", "b"], object)}, {2: "no luck"})
    assert 100_001 < writer.size_bytes < 100_500


@pytest.mark.full
def test_row_groups_of_a_part_do_not_follow_from_its_chunks() -> None:
    """Equal bytes, whether chunks end at row groups, within them or span several of them."""
    rows = 2 * GROUP_ROWS + 20_000
    values = np.arange(2 * rows, dtype=np.float32)
    ids = Array([None if row % 7 == 0 else f"row {row}" for row in range(rows)], DataType.string())
    source = saved({"x": fixed_size_list_array(Array.from_numpy(values), 2), "id": ids})
    failed = {0, GROUP_ROWS - 1, GROUP_ROWS, rows - 1}
    parts = []
    for batch_rows in (9_999, GROUP_ROWS, rows):
        layout, options = formats.plan("parquet", source, 1 << 30).layout, Options(join=True)
        writer = formats.writer("parquet", layout, options, [tensor("y", "FP32", -1, 2), tensor("w", "BYTES", -1)])
        for chunk in chain(*chunks("parquet", source, FEATURES, Cut(batch_rows=batch_rows), options)):
            start = chunk.end - chunk.rows
            reasons = {place: "no luck" for place in range(chunk.rows) if start + place in failed}
            kept = np.array([place not in reasons for place in range(chunk.rows)])
            words = np.array([str(start + place) for place in range(chunk.rows)], object)
            writer.add(chunk, {"y": chunk.inputs["x"][kept], "w": words[kept]}, reasons)
        parts.append(writer.finish())
    assert parts[0] == parts[1] == parts[2]
    footer = read_footer(MemorySource(parts[0]["parquet"]))
    check(footer, MemorySource(parts[0]["parquet"]))
    assert footer.borders == [0, GROUP_ROWS, 2 * GROUP_ROWS, rows]
    for row, found in enumerate(read(parts[:1])):
        assert found["id"] == (None if row % 7 == 0 else f"row {row}")
        assert found["y"] == (None if row in failed else [2 * row, 2 * row + 1])
        assert found["w"] == (None if row in failed else str(row))
