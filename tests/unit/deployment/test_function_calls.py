"""Calls of functions are counted as inlined nodes before onnxruntime inlines them."""

import time
from pathlib import Path

import pytest
from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, helper

from maas.deployment import onnx_file
from maas.errors import ModelRejected
from support import onnx_models

OPSETS = [helper.make_opsetid("", onnx_models.OPSET), helper.make_opsetid("own", 1)]


def call(name: str, domain: str = "own", overload: str = "") -> NodeProto:
    return helper.make_node(name, ["x"], ["y"], domain=domain, overload=overload)


def function(name: str, *nodes: NodeProto, overload: str = "") -> FunctionProto:
    return helper.make_function("own", name, ["x"], ["y"], nodes, OPSETS, overload=overload)


def model(*functions: FunctionProto, nodes: list[NodeProto] | None = None) -> ModelProto:
    """Calls the last function."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph(nodes or [call(functions[-1].name)], "g", values[:1], values[1:])
    return helper.make_model(graph, functions=functions, opset_imports=OPSETS, ir_version=10)


def check(folder: Path, model: ModelProto) -> None:
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    onnx_file.check(folder / "model.onnx", 1 << 20)


def nested(depth: int, calls: int) -> ModelProto:
    functions = [function("F0", call("Relu", ""))]
    for level in range(1, depth):
        functions.append(function(f"F{level}", *[call(f"F{level - 1}")] * calls))
    return model(*functions)


def test_inlined_nodes_are_limited(tmp_path: Path) -> None:
    started = time.process_time()
    with pytest.raises(ModelRejected, match="come to 21,111,110 nodes when inlined, allowed are 100,000"):
        check(tmp_path, nested(8, 10))
    assert time.process_time() - started < 5  # onnxruntime takes minutes
    check(tmp_path, nested(5, 10))


def test_nodes_of_nested_graphs_count(tmp_path: Path) -> None:
    body = helper.make_graph([call("F4")] * 10, "g", [], [])
    calling = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    functions = nested(5, 10).functions
    with pytest.raises(ModelRejected, match="come to 422,200 nodes"):
        check(tmp_path, model(*functions, nodes=[calling]))


def test_overloads_are_different_functions(tmp_path: Path) -> None:
    check(tmp_path, model(function("F", call("Relu", ""), overload="a"), function("F", call("F", overload="a"))))


def test_function_declared_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match=r"function 'own\.F' is declared twice"):
        check(tmp_path, model(function("F", call("Relu", "")), function("F", call("Tanh", ""))))


def test_functions_that_call_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match=r"call each other in a circle or more than 64 deep: 'own\."):
        check(tmp_path, model(function("F", call("G")), function("G", call("F"))))
    with pytest.raises(ModelRejected, match="more than 64 deep"):
        check(tmp_path, nested(66, 1))
    check(tmp_path, nested(64, 1))


def test_functions_may_come_before_the_graph(tmp_path: Path) -> None:
    """Order is free: field 25 before field 7."""
    late = nested(8, 10)
    only = ModelProto(functions=late.functions)
    late.ClearField("functions")
    (tmp_path / "model.onnx").write_bytes(only.SerializeToString() + late.SerializeToString())
    with pytest.raises(ModelRejected, match="come to"):
        onnx_file.check(tmp_path / "model.onnx", 1 << 20)
