"""Models whose declared output shapes are wrong: served as they run, with a warning."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper

from maas import bootstrap
from maas.deployment import preparation
from maas.deployment.child import Limits
from maas.deployment.preparation import Inspection, Job
from maas.deployment.seen_outputs import seen_outputs
from maas.errors import ModelRejected
from maas.records import MetadataTensor, Status
from support.aws.engine import Cloud
from support.onnx_models import model


def branching(declared: list[str | int] | None) -> bytes:
    """A graph whose output has one of two ranks, so that onnxruntime infers none: 3 with the generated input."""

    def branch(name: str, *nodes: NodeProto) -> GraphProto:
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])

    node = helper.make_node(
        "If",
        ["flat"],
        ["y"],
        then_branch=branch("squeezed", helper.make_node("Squeeze", ["x"], ["squeezed"])),
        else_branch=branch("same", helper.make_node("Identity", ["x"], ["same"])),
    )
    graph = helper.make_graph(
        [node],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1]),
            helper.make_tensor_value_info("flat", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, declared)],
    )
    return model(graph).SerializeToString()


def inspected(folder: Path, declared: list[str | int] | None) -> Inspection:
    path = folder / "model.onnx"
    path.write_bytes(branching(declared))
    (folder / "prepared").mkdir()
    return preparation.inspect(Job(str(path), 1, 1 << 30, str(folder / "prepared")), Limits(1 << 30, 60))


def test_wrong_rank_is_served_with_a_warning(tmp_path: Path) -> None:
    found = inspected(tmp_path, [1, "n"])
    assert found.outputs == (MetadataTensor("y", "FP32", (-1, -1, -1)),)
    (warning,) = found.warnings
    assert warning.startswith("output 'y' is declared of shape [1, -1], but came as [1, 1, 1]")


def test_wrong_fixed_dimension_is_variable(tmp_path: Path) -> None:
    found = inspected(tmp_path, [1, 7, "n"])
    assert found.outputs == (MetadataTensor("y", "FP32", (1, -1, -1)),)
    assert ["[1, 7, -1], but came as [1, 1, 1]" in warning for warning in found.warnings] == [True]


@pytest.mark.parametrize("declared", [[1, 1, "n"], None])
def test_right_or_missing_declaration_has_no_warning(tmp_path: Path, declared: list[str | int] | None) -> None:
    found = inspected(tmp_path, declared)
    assert len(found.outputs[0].shape) == 3
    assert found.warnings == ()


def test_wrong_datatype_is_rejected() -> None:
    with pytest.raises(ModelRejected, match="'y' is declared FP32, but is int64"):
        seen_outputs([MetadataTensor("y", "FP32", (1,))], [np.zeros(1, np.int64)])


def test_ready_version_shows_what_was_seen_and_answers(cloud: Cloud) -> None:
    cloud.create_model("m")
    version = cloud.deploy("m", branching([1, "n"]))
    assert (version.status, version.outputs) == (Status.READY, (MetadataTensor("y", "FP32", (-1, -1, -1)),))
    assert "[1, -1], but came as [1, 1, 1]" in version.warnings[0]
    x = {"name": "x", "shape": [1, 1, 1], "datatype": "FP32", "data": [5]}
    flat = {"name": "flat", "shape": [], "datatype": "BOOL", "data": [False]}
    plane = bootstrap.dataplane(cloud.settings)
    (y,) = json.loads(plane.infer("m", None, json.dumps({"inputs": [x, flat]}).encode()).body)["outputs"]
    assert (y["shape"], y["data"]) == ([1, 1, 1], [5])
    assert plane.runner(plane.resolve("m", None)).outputs == version.outputs
