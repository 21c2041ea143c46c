"""A small model with something of everything that an ONNX file can have. No runtime takes it."""

import numpy as np
from onnx import AttributeProto, ModelProto, SparseTensorProto, TensorProto, TypeProto, helper, numpy_helper

from support import onnx_models
from support.onnx_models import external

_FLOAT = helper.make_tensor_type_proto(TensorProto.FLOAT, [2, "n", None])


def broad_model() -> bytes:
    weights = [numpy_helper.from_array(np.arange(4, dtype=np.float32), name) for name in ("w0", "w1")]
    for number, tensor in enumerate(weights):
        external(offset=str(16 * number), length="16")(tensor)
    graph = helper.make_graph(
        _nodes(),
        "broad",
        [helper.make_value_info(f"x{number}", one) for number, one in enumerate(_types())],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [*weights, *_tensors()],
        sparse_initializer=[_sparse()],
        value_info=[helper.make_tensor_value_info("t", TensorProto.INT64, [-1])],
    )
    annotation = graph.quantization_annotation.add(tensor_name="y")
    annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="w0")
    model = onnx_models.model(graph)
    model.producer_name, model.model_version, model.doc_string = "pytest", -1, "é"
    _add_functions(model)
    _add_devices(model)
    training = model.training_info.add()
    training.algorithm.node.add(op_type="Adam", domain="ai.onnx.preview.training")
    training.initialization.initializer.append(_tensors()[0])
    training.update_binding.add(key="w0", value="w1")
    helper.set_model_props(model, {"key": "value"})
    return model.SerializeToString()  # type: ignore[no-any-return]


def _nodes() -> list[object]:
    leaf = helper.make_graph([helper.make_node("Identity", ["x0"], ["z"])], "leaf", [], [], _tensors()[:1])
    inner = helper.make_graph(
        [helper.make_node("If", ["x1"], ["z"], then_branch=leaf, else_branch=leaf)], "inner", [], []
    )
    node = helper.make_node("Loop", ["", "", "x0"], ["y"], "loop", "every attribute", body=inner)
    node.attribute.extend(
        helper.make_attribute(name, value)
        for name, value in {
            "f": 0.5,
            "i": -3,
            "s": b"\0\xff",
            "t": _tensors()[1],
            "tp": _FLOAT,
            "sparse": _sparse(),
            "floats": [1.0, -0.5],
            "ints": [1, 300, -1],
            "strings": ["a", "bb"],
            "tensors": _tensors()[:2],
            "graphs": [leaf],
            "types": [_FLOAT, _types()[1]],
        }.items()
    )
    node.attribute.add(name="referred", ref_attr_name="alpha", type=AttributeProto.FLOAT)
    node.metadata_props.add(key="a", value="b")
    return [node, helper.make_node("Twice", ["w0"], ["t"], domain="own", overload="v2")]


def _tensors() -> list[TensorProto]:
    """Tensors with their values in each of the fields for values."""
    return [
        helper.make_tensor("int64", TensorProto.INT64, [3], [1, 300, -1]),
        helper.make_tensor("float", TensorProto.FLOAT, [2], [1.0, -0.5]),
        helper.make_tensor("double", TensorProto.DOUBLE, [1], [1.0]),
        helper.make_tensor("int32", TensorProto.INT32, [3], [1, 70000, -1]),
        helper.make_tensor("uint64", TensorProto.UINT64, [1], [(1 << 64) - 1]),
        helper.make_tensor("string", TensorProto.STRING, [2], [b"a", b"\xff"]),
        numpy_helper.from_array(np.arange(4, dtype=np.int8), "raw"),
    ]


def _sparse() -> SparseTensorProto:
    values, indices = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0]), helper.make_tensor("i", 7, [1], [2])
    return helper.make_sparse_tensor(values, indices, [2, 2])


def _types() -> list[TypeProto]:
    opaque = TypeProto()
    opaque.opaque_type.domain, opaque.opaque_type.name = "own", "thing"
    return [
        _FLOAT,
        helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, _FLOAT)),
        helper.make_optional_type_proto(helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [2])),
        opaque,
    ]


def _add_functions(model: ModelProto) -> None:
    opsets = [helper.make_opsetid("", onnx_models.OPSET), helper.make_opsetid("own", 1)]
    default = helper.make_attribute("alpha", 0.1)
    once = helper.make_function("own", "Once", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], opsets)
    calls = [
        helper.make_node("Once", ["x"], ["t"], domain="own"),
        helper.make_node("Once", ["t"], ["y"], domain="own"),
    ]
    twice = helper.make_function("own", "Twice", ["x"], ["y"], calls, opsets, ["beta"], [default], overload="v2")
    twice.value_info.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, [4]))
    model.functions.extend([once, twice])


def _add_devices(model: ModelProto) -> None:
    model.configuration.add(name="two", num_devices=2, device=["a", "b"])
    placed = model.graph.node[0].device_configurations.add(configuration_id="two", pipeline_stage=-1)
    spec = placed.sharding_spec.add(tensor_name="x0", device=[0, 1])
    spec.index_to_device_group_map.add(key=-1, value=[0, 1])
    spec.sharded_dim.add(axis=0).simple_sharding.add(dim_value=2, num_shards=2)
