"""Rows, columns and CSV as inputs of a model."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from maas.errors import InvalidRequest, RunFailed
from maas.serving import compatibility
from maas.serving.oip import read_tensors
from maas.serving.runner import Runner
from support import onnx_models

MANY = [*range(3000)]  # come as an array
DEEP: Any = ["a"]
for _ in range(3000):
    DEEP = [DEEP]


@pytest.fixture
def loaded(tmp_path: Path) -> Any:
    def load(content: bytes) -> Runner:
        (tmp_path / "model.onnx").write_bytes(content)
        return Runner(tmp_path / "model.onnx", threads=1)

    return load


def csv(runner: Runner, text: str) -> Any:
    (array,) = compatibility.decode_csv(text.encode(), runner).values()
    return array.tolist()


def test_csv_infinity_is_a_value_and_overflow_is_refused(loaded: Any) -> None:
    runner = loaded(onnx_models.linear())
    assert csv(runner, " Infinity,-Infinity,1e3\n") == [[math.inf, -math.inf, 1000]]
    assert math.isnan(csv(runner, "NaN,0,0")[0][0])
    for overflow in ("1e400", "-1e400", "1e39"):
        with pytest.raises(InvalidRequest, match="a number out of range"):
            csv(runner, f"{overflow},0,0")


@pytest.mark.parametrize("text", ["", "\n\n", "1,2,3\n4,5", '1,2,"3', "1,2,x", "1,2,3,4"])
def test_malformed_csv_is_refused(loaded: Any, text: str) -> None:
    with pytest.raises(InvalidRequest):
        csv(loaded(onnx_models.linear()), text)


@pytest.mark.full
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a,b,c\n1,2,3\n",
            "row 1 has 'a', expected FP32 values, .*: rows have no header, and commas between their values",
        ),
        ("1;2;3\n", "row 1 has '1;2;3', expected FP32 values, .*: rows have no header, and commas"),
        (
            "1,2,3\n4,,6\n",
            "row 2 has '', expected FP32 values, numbers as JSON writes them, NaN for one that is missing$",
        ),
    ],
)
def test_csv_cell_at_fault_is_named(loaded: Any, text: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        csv(loaded(onnx_models.linear()), text)


@pytest.mark.full
@pytest.mark.parametrize(
    "document",
    [
        {"instances": [{"in_a": 1, "in_b": "x"}, {"in_a": 2, "in_b": "y"}]},
        {"instances": [{"in_a": [1], "in_b": ["x"]}, {"in_a": [2], "in_b": ["y"]}]},
        {"inputs": {"in_a": [1, 2], "in_b": ["x", "y"]}},
        {"dataframe_records": [{"in_a": 1, "in_b": "x"}, {"in_a": 2, "in_b": "y"}]},
        {"dataframe_split": {"columns": ["in_b", "in_a"], "index": [0, 1], "data": [["x", 1], ["y", 2]]}},
    ],
)
def test_columns_of_single_values(loaded: Any, document: Any) -> None:
    """A pipeline of scikit-learn over a data frame has an input of shape [-1, 1] for each of its columns."""
    runner = loaded(onnx_models.identities({"a": TensorProto.INT64, "b": TensorProto.STRING}, ["n", 1]))
    arrays = compatibility.decode(document, runner)
    assert {name: array.tolist() for name, array in arrays.items()} == {"in_a": [[1], [2]], "in_b": [["x"], ["y"]]}


@pytest.mark.full
def test_frame_of_features(loaded: Any) -> None:
    runner = loaded(onnx_models.linear())
    rows = np.arange(3000.0).reshape(1000, 3).tolist()
    frames = [
        {"dataframe_split": {"columns": ["p", "q", "r"], "data": rows}},
        {"dataframe_records": [dict(zip("pqr", row, strict=True)) for row in rows]},
    ]
    for document in frames:
        read = read_tensors(json.dumps(document).encode())  # large numeric rows come as arrays
        assert compatibility.decode(read, runner)["x"].tolist() == rows


@pytest.mark.full
def test_frame_of_numbered_columns(loaded: Any) -> None:
    """As pandas writes it that has no names: so many numbers come as an array, too."""
    runner = loaded(onnx_models.identities({"a": TensorProto.FLOAT}, ["n", 784]))
    rows = np.arange(8 * 784.0).reshape(8, 784).tolist()
    frame = {"dataframe_split": {"index": list(range(8)), "columns": list(range(784)), "data": rows}}
    read = read_tensors(json.dumps(frame).encode())
    assert compatibility.decode(read, runner)["in_a"].tolist() == rows


@pytest.mark.full
@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"dataframe_split": MANY}, "dataframe_split: got an array, expected an object with columns and data"),
        (
            {"dataframe_split": {"columns": ["a"], "data": MANY}},
            r"data\[0\]: got a number, expected an array of 1, one",
        ),
        ({"dataframe_records": MANY}, "dataframe_records: got an array, expected an array of objects"),
    ],
)
def test_many_numbers_in_place_of_a_frame_are_refused(loaded: Any, document: Any, said: str) -> None:
    read = read_tensors(json.dumps(document).encode())
    with pytest.raises(InvalidRequest, match=said):
        compatibility.decode(read, loaded(onnx_models.linear()))


@pytest.mark.full
@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]},
            "inputs: got objects with name, shape and datatype, expected values: tensors .* are for /v2/models/NAME/",
        ),
        ({"dataframe_split": [[1, 2, 3]]}, "dataframe_split: got an array, expected an object with columns and data"),
        (
            {"dataframe_split": {"data": [[1]]}},
            r"dataframe_split: got one with \['data'\], expected an object with col",
        ),
        ({"dataframe_split": {"columns": ["a"], "data": []}}, r"dataframe_split: got one with \['columns', 'data'\]"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, r"data\[0\]: got 2 values, expected an array of 1"),
        ({"dataframe_split": {"columns": ["a"], "data": [1]}}, r"data\[0\]: got a number, expected an array of 1, one"),
        (
            {"dataframe_split": {"columns": ["x", "x"], "data": [[1, 2]]}},
            r"dataframe_split: got columns \['x', 'x'\], expected each name once",
        ),
        ({"dataframe_records": []}, "dataframe_records: got no rows, expected an array of objects"),
        (
            {"dataframe_records": [{"a": 1}, {"b": 1}]},
            r"dataframe_records\[1\]: got one with \['b'\], expected an object",
        ),
        (
            {"dataframe_records": [{"a": 1}, 2]},
            r"dataframe_records\[1\]: got a number, expected an object with \['a'\]",
        ),
        ({"dataframe_records": [{"a": None, "b": 1, "c": 2}]}, r"got null, expected FP32 values, .NaN. for one that"),
    ],
)
def test_document_of_another_form_is_refused(loaded: Any, document: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        compatibility.decode(document, loaded(onnx_models.linear()))


def test_base64_strings_in_rows(loaded: Any) -> None:
    runner = loaded(onnx_models.identities({"s": 8}))
    rows = {"instances": ["plain", {"b64": "Z3LDtsOfZXI="}]}
    assert compatibility.decode(rows, runner)["in_s"].tolist() == ["plain", "größer"]
    for wrong in ("%", "/w==", 1, DEEP):
        with pytest.raises(InvalidRequest, match="a b64 value that is not UTF-8"):
            compatibility.decode({"instances": [{"b64": wrong}]}, runner)


@pytest.mark.parametrize("rows", [DEEP, ["a", DEEP], {"b64": DEEP}])
def test_deep_nesting_is_refused(loaded: Any, rows: Any) -> None:
    for content in (onnx_models.identities({"s": 8}), onnx_models.linear(), onnx_models.added()):
        with pytest.raises(InvalidRequest):
            compatibility.decode({"instances": rows}, loaded(content))


def test_instances_and_inputs_exclude_each_other(loaded: Any) -> None:
    for document in ({}, {"instances": [1], "inputs": [1]}):
        with pytest.raises(
            InvalidRequest, match="expected one of instances, inputs, dataframe_split, dataframe_records"
        ):
            compatibility.decode(document, loaded(onnx_models.linear()))


@pytest.mark.parametrize("output", ["float[time, n, 2] y", "float[2, n, 2] y"])
def test_time_major_output_is_not_taken_for_rows(loaded: Any, output: str) -> None:
    """With as many rows as time steps, its first axis is as long as the rows."""
    runner = loaded(
        onnx_models.parsed(f"(float[n, time, 2] x) => ({output}) {{ y = Transpose <perm = [1, 0, 2]> (x) }}")
    )
    inputs = compatibility.decode({"instances": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}, runner)
    outputs = dict(zip(["y"], runner.run(inputs), strict=True))
    with pytest.raises(RunFailed, match="no output has one entry for each of 2 rows"):
        compatibility.predictions(outputs, runner, 2)


def test_label_declared_of_size_one_is_taken_for_rows(loaded: Any) -> None:
    """As LightGBM's converter declares it."""
    runner = loaded(
        onnx_models.parsed("(float[n, 1] x) => (float[1] y) { a = Constant <value_ints = [1]> () y = Squeeze (x, a) }")
    )
    outputs = dict(zip(["y"], runner.run(compatibility.decode({"instances": [[1], [2]]}, runner)), strict=True))
    assert list(compatibility.predictions(outputs, runner, 2)) == [1, 2]
