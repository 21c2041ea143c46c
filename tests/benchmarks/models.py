"""Models to measure with."""

from itertools import pairwise

import numpy as np
import onnx_models
from onnx import TensorProto, helper, numpy_helper


def dense(megabytes: int) -> bytes:
    """x[n, 64] through square layers of 1024 until there are so many MB of weights, to y[n, 8]."""
    random = np.random.default_rng(0)
    widths = [64] + [1024] * max(1, megabytes // 4) + [8]
    nodes, weights, last = [], [], "x"
    for index, (rows, columns) in enumerate(pairwise(widths)):
        matrix = (random.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"w{index}"))
        nodes += [
            helper.make_node("MatMul", [last, f"w{index}"], [f"m{index}"]),
            helper.make_node("Relu", [f"m{index}"], [f"r{index}"]),
        ]
        last = f"r{index}"
    nodes.append(helper.make_node("Identity", [last], ["y"]))
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8])],
        weights,
    )
    return onnx_models.model(graph).SerializeToString()


def small() -> bytes:
    return onnx_models.linear(features=64, classes=8)


def image() -> bytes:
    """The mean over the pixels of x[n, 3, 224, 224], to y[n, 3]."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
        "image",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
    )
    return onnx_models.model(graph).SerializeToString()
