"""Small real ONNX models as bytes."""

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper, parser

OPSET = 17
Change = Callable[[TensorProto], None]


def model(graph: object, opset: int = OPSET) -> ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def linear(weight: float = 1.0, features: int = 3, classes: int = 2, opset: int = OPSET) -> bytes:
    """y[n, classes] = x[n, features] @ W, where every weight is `weight`."""
    weights = numpy_helper.from_array(np.full((features, classes), weight, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", features])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", classes])],
        [weights],
    )
    return model(graph, opset).SerializeToString()


def identities(types: dict[str, int], shape: list[str | int] | None = None, opset: int = OPSET) -> bytes:
    """An input `in_NAME` copied to an output `out_NAME` for each type."""
    shape = ["n"] if shape is None else shape
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name in types],
        "identities",
        [helper.make_tensor_value_info(f"in_{name}", kind, shape) for name, kind in types.items()],
        [helper.make_tensor_value_info(f"out_{name}", kind, shape) for name, kind in types.items()],
    )
    return model(graph, opset).SerializeToString()


def needs_two_rows() -> bytes:
    """Returns row 1, so a run with n < 2 fails."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["x", "one"], ["y"], axis=0)],
        "second_row",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.array(1, np.int64), "one")],
    )
    return model(graph).SerializeToString()


def never_runs() -> bytes:
    """Loads, but every run fails: it reshapes x to more elements than x has."""
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "shape"], ["y"])],
        "impossible",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, None])],
        [numpy_helper.from_array(np.array([7, 1_000_003], np.int64), "shape")],
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


def _value(name: str, kind: int, shape: list[str | int] | None) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def added(optional: bool = False) -> bytes:
    """y[n, 2] = a[n, 2] + b[n, 2]; with `optional`, b[1] may be left out and is 10."""
    shape: list[str | int] = [1] if optional else ["n", 2]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["y"])],
        "added",
        [_value("a", TensorProto.FLOAT, ["n", 2]), _value("b", TensorProto.FLOAT, shape)],
        [_value("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(np.full(1, 10, np.float32), "b")] if optional else [],
    )
    return model(graph).SerializeToString()


def keeping_initializers(features: int = 3) -> bytes:
    """y[n] = x[n, features] @ w + bias, whose weights are inputs with a default too: w is ones, bias is 10."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["xw"]), helper.make_node("Add", ["xw", "bias"], ["y"])],
        "keeping_initializers",
        [
            _value("bias", TensorProto.FLOAT, [1]),
            _value("x", TensorProto.FLOAT, ["n", features]),
            _value("w", TensorProto.FLOAT, [features]),
        ],
        [_value("y", TensorProto.FLOAT, ["n"])],
        [
            numpy_helper.from_array(np.ones(features, np.float32), "w"),
            numpy_helper.from_array(np.full(1, 10, np.float32), "bias"),
        ],
    )
    return model(graph).SerializeToString()


def split() -> bytes:
    """y is a sequence of the rows of x[n, 2], each [1, 2]."""
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    graph = helper.make_graph(
        [helper.make_node("SplitToSequence", ["x"], ["y"], axis=0, keepdims=1)],
        "split",
        [_value("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_value_info("y", sequence)],
    )
    return model(graph).SerializeToString()


def zipmap(labels: list[int] | list[str]) -> bytes:
    """The end of a classifier: scores[n, classes] → label[n] (index of the best column) and a sequence of maps."""
    keys = TensorProto.INT64 if isinstance(labels[0], int) else TensorProto.STRING
    maps = helper.make_sequence_type_proto(
        helper.make_map_type_proto(keys, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    attribute = {"classlabels_int64s" if keys == TensorProto.INT64 else "classlabels_strings": labels}
    graph = helper.make_graph(
        [
            helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
            helper.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", **attribute),
        ],
        "zipmap",
        [_value("scores", TensorProto.FLOAT, ["n", len(labels)])],
        [_value("label", TensorProto.INT64, ["n"]), helper.make_value_info("probabilities", maps)],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def slow() -> bytes:
    """Multiplies a 64 × 64 matrix `count` times; a million times take minutes."""
    weights = numpy_helper.from_array(np.eye(64, dtype=np.float32), "w")
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["carried", "w"], ["next"]),
            helper.make_node("Identity", ["going"], ["goes_on"]),
        ],
        "once",
        [_value("step", TensorProto.INT64, []), _value("going", TensorProto.BOOL, []), _value("carried", 1, [64, 64])],
        [_value("goes_on", TensorProto.BOOL, []), _value("next", TensorProto.FLOAT, [64, 64])],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["count", "scalar"], ["times"]),
            helper.make_node("Loop", ["times", "", "w"], ["end"], body=body),
            helper.make_node("ReduceSum", ["end"], ["y"], keepdims=0),
        ],
        "slow",
        [_value("count", TensorProto.INT64, [1])],
        [_value("y", TensorProto.FLOAT, [])],
        [weights, numpy_helper.from_array(np.array([], np.int64), "scalar")],
    )
    return model(graph).SerializeToString()


def quick() -> bytes:
    """The signature of `slow`, answered at once."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["count"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["floats"], ["y"], keepdims=0),
        ],
        "quick",
        [_value("count", TensorProto.INT64, [1])],
        [_value("y", TensorProto.FLOAT, [])],
    )
    return model(graph).SerializeToString()


def squared() -> bytes:
    """y is an element of the product of two matrices of ones: a small input makes one operator run for any time."""
    ones = helper.make_tensor("ones", TensorProto.FLOAT, [1], [1.0])
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["size", "one"], ["side"]),
            helper.make_node("Concat", ["side", "side"], ["shape"], axis=0),
            helper.make_node("ConstantOfShape", ["shape"], ["a"], value=ones),
            helper.make_node("MatMul", ["a", "a"], ["product"]),
            helper.make_node("ReduceMax", ["product"], ["y"], keepdims=0),
        ],
        "squared",
        [_value("size", TensorProto.INT64, [])],
        [_value("y", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.array([1], np.int64), "one")],
    )
    return model(graph).SerializeToString()


def nonzero() -> bytes:
    """y is the last index of `count` ones. NonZero allocates outside of onnxruntime's arena."""
    ones = helper.make_tensor("ones", TensorProto.FLOAT, [1], [1.0])
    graph = helper.make_graph(
        [
            helper.make_node("ConstantOfShape", ["count"], ["a"], value=ones),
            helper.make_node("NonZero", ["a"], ["places"]),
            helper.make_node("ReduceMax", ["places"], ["y"], keepdims=0),
        ],
        "nonzero",
        [_value("count", TensorProto.INT64, [1])],
        [_value("y", TensorProto.INT64, [])],
    )
    return model(graph).SerializeToString()


def expanded() -> bytes:
    """y is a tensor of ones of the shape in the input: a small input can ask for any amount of memory."""
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["shape"], ["y"])],
        "expanded",
        [_value("shape", TensorProto.INT64, [2])],
        [_value("y", TensorProto.FLOAT, [None, None])],
    )
    return model(graph).SerializeToString()


def parsed(graph: str) -> bytes:
    """A model by the text of its graph, as ONNX writes it: `(float[n] x) => (float y) { y = Relu (x) }`."""
    header = f'<ir_version: 8, opset_import: ["" : {OPSET}, "ai.onnx.ml" : 3]> g '
    return parser.parse_model(header + graph).SerializeToString()


def external(location: str = "weights.bin", **entries: str) -> Change:
    """Moves the data of a tensor to another file."""

    def change(tensor: TensorProto) -> None:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in ({"location": location} | entries).items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value

    return change


def with_weights(*changes: Change) -> ModelProto:
    """y = x + a (+ b …), where each weight of 4 floats went through its change."""
    names = [f"w{number}" for number in range(len(changes))]
    nodes = [helper.make_node("Sum", ["x", *names], ["y"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    weights = [numpy_helper.from_array(np.arange(4, dtype=np.float32), name) for name in names]
    for weight, change in zip(weights, changes, strict=True):
        change(weight)
    return model(helper.make_graph(nodes, "g", values[:1], values[1:], weights))
