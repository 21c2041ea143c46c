"""Rows, columns and CSV as inputs of a model."""

import math
from pathlib import Path
from typing import Any

import pytest

from maas.errors import InvalidRequest, RunFailed
from maas.serving import compatibility
from maas.serving.runner import Runner
from support import onnx_models

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
        with pytest.raises(InvalidRequest, match="expected either instances or inputs"):
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
