"""Small real ONNX models for the tests, as bytes."""

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

OPSET = 17


def model(graph: object, opset: int = OPSET) -> ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def linear(weight: float = 1.0, features: int = 3, classes: int = 2, opset: int = OPSET) -> bytes:
    """y[n, classes] = x[n, features] @ W, with every weight alike."""
    weights = numpy_helper.from_array(np.full((features, classes), weight, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", features])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", classes])],
        [weights],
    )
    return model(graph, opset).SerializeToString()


def identities(types: dict[str, int], shape: list[str | int] | None = None) -> bytes:
    """One input and one output a type: `in_NAME` goes unchanged to `out_NAME`."""
    shape = ["n"] if shape is None else shape
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name in types],
        "identities",
        [helper.make_tensor_value_info(f"in_{name}", kind, shape) for name, kind in types.items()],
        [helper.make_tensor_value_info(f"out_{name}", kind, shape) for name, kind in types.items()],
    )
    return model(graph).SerializeToString()


def needs_two_rows() -> bytes:
    """Fails unless n is at least 2: it takes row 1."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["x", "one"], ["y"], axis=0)],
        "second_row",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.array(1, np.int64), "one")],
    )
    return model(graph).SerializeToString()


def never_runs() -> bytes:
    """Loads, but no input can run: reshapes any input to more elements than it has."""
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "shape"], ["y"])],
        "impossible",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, None])],
        [numpy_helper.from_array(np.array([7, 11], np.int64), "shape")],
    )
    return model(graph).SerializeToString()


ALL_TYPES = {
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "float16": TensorProto.FLOAT16,
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
    "string": TensorProto.STRING,
}
