"""A model whose input declares no shape takes single values only, and says so."""

from pathlib import Path

import pytest
from onnx import NodeProto, TensorProto, helper

from maas.deployment import preparation
from maas.deployment.child import Limits
from maas.deployment.preparation import Job
from support.onnx_models import model

WARNING = "input 'x' declares no shape, so it takes a single value: export the model with the input's shape"
Shape = list[str | int] | None


SAME = helper.make_node("Identity", ["x"], ["y"])
FAILING = helper.make_node("Reshape", ["x", "x"], ["y"])  # whose sizes are no list


def warnings_of(folder: Path, node: NodeProto, shape: Shape) -> list[str]:
    values = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("x", "y")]
    path = folder / "model.onnx"
    path.write_bytes(model(helper.make_graph([node], "g", values[:1], values[1:])).SerializeToString())
    (folder / "prepared").mkdir()
    job = Job(str(path), 1, 1 << 30, str(folder / "prepared"), smoke_run="optional")
    return [*preparation.inspect(job, Limits(1 << 30, 60)).warnings]


def test_input_without_a_shape_is_warned_of(tmp_path: Path) -> None:
    assert warnings_of(tmp_path, SAME, None) == [WARNING]


def test_model_that_never_ran_is_warned_of_too(tmp_path: Path) -> None:
    never_run, warning = warnings_of(tmp_path, FAILING, None)
    assert (never_run[:9], warning) == ("never run", WARNING)


@pytest.mark.parametrize("shape", [[], ["n"], [2, 3]])
def test_declared_shapes_are_not(tmp_path: Path, shape: Shape) -> None:
    assert warnings_of(tmp_path, SAME, shape) == []
