"""Realistic networks as ONNX bytes, for benchmarks and for tests that need real weights."""

from itertools import pairwise

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from support import onnx_models


def dense(megabytes: int) -> bytes:
    """Dense layers from x[n, 64] to y[n, 8], with so many megabytes of weights."""
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


def doubled(shape: list[str | int]) -> bytes:
    """y = 2x by element: almost no computation, and an answer as large as the request."""
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "two"], ["y"])],
        "doubled",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.array(2, np.float32), "two")],
    )
    return onnx_models.model(graph).SerializeToString()


def words() -> bytes:
    """y = x[n] of strings."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "words",
        [helper.make_tensor_value_info("x", TensorProto.STRING, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.STRING, ["n"])],
    )
    return onnx_models.model(graph).SerializeToString()


def convolutions(blocks: int = 12, channels: int = 256) -> bytes:
    """A residual network from x[n, 3, 64, 64] to y[n, 10], with batch normalisation as exporters write it."""
    random, graph = np.random.default_rng(0), _Graph()
    last = graph.convolution(random, "x", 3, channels, 7, stride=4)
    for _ in range(blocks):
        inner = graph.convolution(random, last, channels, channels, 3)
        inner = graph.convolution(random, inner, channels, channels, 3)
        last = graph.node("Relu", [graph.node("Add", [inner, last])])
    pooled = graph.node("Flatten", [graph.node("GlobalAveragePool", [last])])
    graph.node("Gemm", [pooled, graph.weight(random, channels, 10)], "y")
    return graph.model({"x": ["n", 3, 64, 64]}, {"y": ["n", 10]})


def transformer(layers: int = 8, width: int = 512, tokens: int = 64) -> bytes:
    """A transformer encoder from x[n, 64, 512] to y of the same shape, in small nodes as exporters write it."""
    random, graph, heads = np.random.default_rng(0), _Graph(), 8
    last = "x"
    for _ in range(layers):
        parts = []
        for _ in range(3):
            linear = graph.node("MatMul", [last, graph.weight(random, width, width)])
            shaped = graph.node("Reshape", [linear, graph.constant(np.array([0, 0, heads, width // heads]))])
            parts.append(graph.node("Transpose", [shaped], perm=[0, 2, 1, 3]))
        query, key, value = parts
        scores = graph.node("MatMul", [query, graph.node("Transpose", [key], perm=[0, 1, 3, 2])])
        scaled = graph.node("Div", [scores, graph.number(np.sqrt(width / heads))])
        mixed = graph.node("MatMul", [graph.node("Softmax", [scaled], axis=-1), value])
        shape = graph.constant(np.array([0, 0, width]))
        merged = graph.node("Reshape", [graph.node("Transpose", [mixed], perm=[0, 2, 1, 3]), shape])
        projected = graph.node("MatMul", [merged, graph.weight(random, width, width)])
        attended = graph.normalised(graph.node("Add", [projected, last]), width)
        hidden = graph.gelu(graph.node("MatMul", [attended, graph.weight(random, width, 4 * width)]))
        narrowed = graph.node("MatMul", [hidden, graph.weight(random, 4 * width, width)])
        last = graph.normalised(graph.node("Add", [narrowed, attended]), width)
    graph.node("Identity", [last], "y")
    return graph.model({"x": ["n", tokens, width]}, {"y": ["n", tokens, width]})


class _Graph:
    """Collects nodes and weights under generated names."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str | None = None, **attributes: object) -> str:
        output = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, array: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(array, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def weight(self, random: np.random.Generator, *shape: int) -> str:
        scale = np.sqrt(2 / np.prod(shape[:-1] if len(shape) == 2 else shape[1:]))
        return self.constant((random.standard_normal(shape) * scale).astype(np.float32))

    def convolution(self, random: np.random.Generator, x: str, ins: int, outs: int, size: int, stride: int = 1) -> str:
        weight = self.weight(random, outs, ins, size, size)
        convolved = self.node("Conv", [x, weight], pads=[size // 2] * 4, strides=[stride, stride])
        ones, zeros = self.constant(np.ones(outs, np.float32)), self.constant(np.zeros(outs, np.float32))
        return self.node("Relu", [self.node("BatchNormalization", [convolved, ones, zeros, zeros, ones])])

    def normalised(self, x: str, width: int) -> str:
        centred = self.node("Sub", [x, self.node("ReduceMean", [x], axes=[-1])])
        squared = self.node("Pow", [centred, self.number(2)])
        variance = self.node("Add", [self.node("ReduceMean", [squared], axes=[-1]), self.number(1e-5)])
        scaled = self.node("Div", [centred, self.node("Sqrt", [variance])])
        grown = self.node("Mul", [scaled, self.constant(np.ones(width, np.float32))])
        return self.node("Add", [grown, self.constant(np.zeros(width, np.float32))])

    def gelu(self, x: str) -> str:
        error = self.node("Erf", [self.node("Div", [x, self.number(np.sqrt(2))])])
        grown = self.node("Mul", [x, self.node("Add", [error, self.number(1)])])
        return self.node("Mul", [grown, self.number(0.5)])

    def model(self, inputs: dict[str, list[str | int]], outputs: dict[str, list[str | int]]) -> bytes:
        values = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in one.items()]
            for one in (inputs, outputs)
        )
        graph = helper.make_graph(self.nodes, "realistic", *values, self.weights)
        return onnx_models.model(graph).SerializeToString()
