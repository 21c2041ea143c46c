"""BERT twice: as an ONNX graph, and as a reference in NumPy. Weights have the names of the transformers library."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf as _erf
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from maas.serving.datatypes import Array

OPSET = 20
EPSILON = 1e-12
MASKED = -1e9
Weights = Mapping[str, Array]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
NONE, SEQUENCE, TOKEN, MLM = "none", "sequence", "token", "mlm"  # the head on top


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    hidden: int = 32
    layers: int = 2
    heads: int = 4
    inner: int = 64
    positions: int = 64


def random_weights(shape: Shape, head: str = NONE, classes: int = 0, seed: int = 0) -> dict[str, Array]:
    """Normal ones, the same in each run."""
    random = np.random.default_rng(seed)

    def matrix(*size: int) -> Array:
        return random.normal(0, 0.3, size).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": matrix(shape.vocabulary, shape.hidden),
        "embeddings.position_embeddings.weight": matrix(shape.positions, shape.hidden),
        "embeddings.token_type_embeddings.weight": matrix(2, shape.hidden),
    }
    norms = ["embeddings.LayerNorm"]
    dense = {}
    for layer in range(shape.layers):
        at = f"encoder.layer.{layer}"
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
        for part in ("query", "key", "value"):
            dense[f"{at}.attention.self.{part}"] = (shape.hidden, shape.hidden)
        dense[f"{at}.attention.output.dense"] = (shape.hidden, shape.hidden)
        dense[f"{at}.intermediate.dense"] = (shape.inner, shape.hidden)
        dense[f"{at}.output.dense"] = (shape.hidden, shape.inner)
    if head == SEQUENCE:
        dense |= {"pooler.dense": (shape.hidden, shape.hidden), "classifier": (classes, shape.hidden)}
    if head == TOKEN:
        dense["classifier"] = (classes, shape.hidden)
    if head == MLM:
        dense["classifier"] = (shape.vocabulary, shape.hidden)
    for name, size in dense.items():
        made |= {f"{name}.weight": matrix(*size), f"{name}.bias": matrix(size[0])}
    for name in norms:
        made |= {f"{name}.weight": 1 + matrix(shape.hidden), f"{name}.bias": matrix(shape.hidden)}
    return made


class _Graph:
    def __init__(self, weights: Weights) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self._weights = weights

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        name = f"constant_{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(np.asarray(value, dtype), name)
        return name

    def weight(self, name: str, transposed: bool = False) -> str:
        array = self._weights[name].T if transposed else self._weights[name]
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def linear(self, x: str, name: str) -> str:
        return self.op("Add", self.op("MatMul", x, self.weight(f"{name}.weight", True)), self.weight(f"{name}.bias"))

    def norm(self, x: str, name: str) -> str:
        return self.op(
            "LayerNormalization", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), epsilon=EPSILON
        )


def graph(weights: Weights, shape: Shape, head: str = NONE) -> bytes:
    """The model file, with the inputs and outputs of an optimum export."""
    made = _Graph(weights)
    states = _encoder(made, shape)
    if head == NONE:
        output, width = made.op("Identity", states), shape.hidden
    elif head == SEQUENCE:
        first = made.op("Gather", states, made.constant(0), axis=1)
        output = made.linear(made.op("Tanh", made.linear(first, "pooler.dense")), "classifier")
        width = len(weights["classifier.bias"])
    else:
        output, width = made.linear(states, "classifier"), len(weights["classifier.bias"])
    name = "last_hidden_state" if head == NONE else "logits"
    made.nodes.append(helper.make_node("Identity", [output], [name]))
    size = ["batch_size", width] if head == SEQUENCE else ["batch_size", "sequence_length", width]
    document = helper.make_graph(
        made.nodes,
        "bert",
        [helper.make_tensor_value_info(one, TensorProto.INT64, ["batch_size", "sequence_length"]) for one in INPUTS],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size)],
        [*made.initializers.values()],
    )
    model = helper.make_model(document, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    return model.SerializeToString()


def _encoder(made: _Graph, shape: Shape) -> str:
    words = made.op("Gather", made.weight("embeddings.word_embeddings.weight"), "input_ids")
    types = made.op("Gather", made.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    length = made.op("Gather", made.op("Shape", "input_ids"), made.constant([1]))
    positions = made.op(
        "Slice", made.weight("embeddings.position_embeddings.weight"), made.constant([0]), length, made.constant([0])
    )
    states = made.norm(made.op("Add", made.op("Add", words, types), positions), "embeddings.LayerNorm")
    mask = made.op("Unsqueeze", made.op("Cast", "attention_mask", to=TensorProto.FLOAT), made.constant([1, 2]))
    one, masked = made.constant(1, np.float32), made.constant(MASKED, np.float32)
    mask = made.op("Mul", made.op("Sub", one, mask), masked)
    for layer in range(shape.layers):
        states = _layer(made, states, mask, shape, f"encoder.layer.{layer}")
    return states


def _layer(made: _Graph, states: str, mask: str, shape: Shape, at: str) -> str:
    split = made.constant([0, 0, shape.heads, shape.hidden // shape.heads])

    def heads(part: str, order: list[int]) -> str:
        linear = made.linear(states, f"{at}.attention.self.{part}")
        return made.op("Transpose", made.op("Reshape", linear, split), perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scale = made.constant(np.sqrt(shape.hidden // shape.heads), np.float32)
    scores = made.op("Add", made.op("Div", made.op("MatMul", query, key), scale), mask)
    context = made.op("Transpose", made.op("MatMul", made.op("Softmax", scores), value), perm=[0, 2, 1, 3])
    joined = made.op("Reshape", context, made.constant([0, 0, shape.hidden]))
    attended = made.op("Add", made.linear(joined, f"{at}.attention.output.dense"), states)
    states = made.norm(attended, f"{at}.attention.output.LayerNorm")
    inner = made.op("Gelu", made.linear(states, f"{at}.intermediate.dense"))
    return made.norm(made.op("Add", made.linear(inner, f"{at}.output.dense"), states), f"{at}.output.LayerNorm")


def reference(weights: Weights, shape: Shape, head: str, ids: list[int], types: list[int] | None = None) -> Array:
    """The output for one text without padding, in float64: (tokens, width), or (classes,) of the sequence head."""
    at = {name: array.astype(np.float64) for name, array in weights.items()}
    states = at["embeddings.word_embeddings.weight"][ids]
    states = states + at["embeddings.token_type_embeddings.weight"][types or [0] * len(ids)]
    states = _norm(states + at["embeddings.position_embeddings.weight"][: len(ids)], at, "embeddings.LayerNorm")
    for layer in range(shape.layers):
        states = _reference_layer(states, at, shape, f"encoder.layer.{layer}")
    if head == NONE:
        return states
    if head == SEQUENCE:
        return _linear(np.tanh(_linear(states[0], at, "pooler.dense")), at, "classifier")
    return _linear(states, at, "classifier")


def _reference_layer(states: Array, at: Weights, shape: Shape, name: str) -> Array:
    size = shape.hidden // shape.heads
    parts = [_linear(states, at, f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
    query, key, value = (part.reshape(-1, shape.heads, size).transpose(1, 0, 2) for part in parts)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(size)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    context = (shares / shares.sum(-1, keepdims=True)) @ value
    joined = context.transpose(1, 0, 2).reshape(len(states), shape.hidden)
    attended = states + _linear(joined, at, f"{name}.attention.output.dense")
    states = _norm(attended, at, f"{name}.attention.output.LayerNorm")
    inner = _linear(states, at, f"{name}.intermediate.dense")
    inner = inner * 0.5 * (1 + np.vectorize(_erf)(inner / np.sqrt(2)))
    return _norm(states + _linear(inner, at, f"{name}.output.dense"), at, f"{name}.output.LayerNorm")


def _linear(x: Array, at: Weights, name: str) -> Array:
    return x @ at[f"{name}.weight"].T + at[f"{name}.bias"]


def _norm(x: Array, at: Weights, name: str) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    return scaled * at[f"{name}.weight"] + at[f"{name}.bias"]
