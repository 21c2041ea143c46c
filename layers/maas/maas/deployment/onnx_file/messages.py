"""The messages of an ONNX file, of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

All of them: a field that is not listed is refused, since onnxruntime might know it. A test compares the table with the
installed `onnx`.
"""

import re
from collections.abc import Iterator

from maas.deployment.onnx_file.wire import BYTES, FIXED32, FIXED64, VARINT, Field, Message

# Each field is `number name type`. `*`: repeated; `|`: of a oneof, which has at most one value; enum15: 0 to 14.
_MESSAGES = {
    "ModelProto": """
        1 ir_version int64, 2 producer_name text, 3 producer_version text, 4 domain text, 5 model_version int64,
        6 doc_string text, 7 graph GraphProto, 8 opset_import OperatorSetIdProto*,
        14 metadata_props StringStringEntryProto*, 20 training_info TrainingInfoProto*, 25 functions FunctionProto*,
        26 configuration DeviceConfigurationProto*""",
    "GraphProto": """
        1 node NodeProto*, 2 name text, 5 initializer TensorProto*, 10 doc_string text, 11 input ValueInfoProto*,
        12 output ValueInfoProto*, 13 value_info ValueInfoProto*, 14 quantization_annotation TensorAnnotation*,
        15 sparse_initializer SparseTensorProto*, 16 metadata_props StringStringEntryProto*""",
    "NodeProto": """
        1 input text*, 2 output text*, 3 name text, 4 op_type text, 5 attribute AttributeProto*, 6 doc_string text,
        7 domain text, 8 overload text, 9 metadata_props StringStringEntryProto*,
        10 device_configurations NodeDeviceConfigurationProto*""",
    "AttributeProto": """
        1 name text, 2 f float, 3 i int64, 4 s bytes, 5 t TensorProto, 6 g GraphProto, 7 floats float*, 8 ints int64*,
        9 strings bytes*, 10 tensors TensorProto*, 11 graphs GraphProto*, 13 doc_string text, 14 tp TypeProto,
        15 type_protos TypeProto*, 20 type enum15, 21 ref_attr_name text, 22 sparse_tensor SparseTensorProto,
        23 sparse_tensors SparseTensorProto*""",
    "FunctionProto": """
        1 name text, 4 input text*, 5 output text*, 6 attribute text*, 7 node NodeProto*, 8 doc_string text,
        9 opset_import OperatorSetIdProto*, 10 domain text, 11 attribute_proto AttributeProto*,
        12 value_info ValueInfoProto*, 13 overload text, 14 metadata_props StringStringEntryProto*""",
    "TrainingInfoProto": """
        1 initialization GraphProto, 2 algorithm GraphProto, 3 initialization_binding StringStringEntryProto*,
        4 update_binding StringStringEntryProto*""",
    "TensorProto": """
        1 dims int64*, 2 data_type int32, 3 segment TensorProto.Segment, 4 float_data float*, 5 int32_data int32*,
        6 string_data bytes*, 7 int64_data int64*, 8 name text, 9 raw_data bytes, 10 double_data double*,
        11 uint64_data uint64*, 12 doc_string text, 13 external_data StringStringEntryProto*, 14 data_location enum2,
        16 metadata_props StringStringEntryProto*""",
    "TensorProto.Segment": "1 begin int64, 2 end int64",
    "SparseTensorProto": "1 values TensorProto, 2 indices TensorProto, 3 dims int64*",
    "TensorAnnotation": "1 tensor_name text, 2 quant_parameter_tensor_names StringStringEntryProto*",
    "StringStringEntryProto": "1 key text, 2 value text",
    "OperatorSetIdProto": "1 domain text, 2 version int64",
    "ValueInfoProto": "1 name text, 2 type TypeProto, 3 doc_string text, 4 metadata_props StringStringEntryProto*",
    "TypeProto": """
        1 tensor_type TypeProto.Tensor|, 4 sequence_type TypeProto.Sequence|, 5 map_type TypeProto.Map|,
        6 denotation text, 7 opaque_type TypeProto.Opaque|, 8 sparse_tensor_type TypeProto.SparseTensor|,
        9 optional_type TypeProto.Optional|""",
    "TypeProto.Tensor": "1 elem_type int32, 2 shape TensorShapeProto",
    "TypeProto.SparseTensor": "1 elem_type int32, 2 shape TensorShapeProto",
    "TypeProto.Sequence": "1 elem_type TypeProto",
    "TypeProto.Optional": "1 elem_type TypeProto",
    "TypeProto.Map": "1 key_type int32, 2 value_type TypeProto",
    "TypeProto.Opaque": "1 domain text, 2 name text",
    "TensorShapeProto": "1 dim TensorShapeProto.Dimension*",
    "TensorShapeProto.Dimension": "1 dim_value int64|, 2 dim_param text|, 3 denotation text",
    "DeviceConfigurationProto": "1 name text, 2 num_devices int32, 3 device text*",
    "NodeDeviceConfigurationProto": """
        1 configuration_id text, 2 sharding_spec ShardingSpecProto*, 3 pipeline_stage int32""",
    "ShardingSpecProto": """
        1 tensor_name text, 2 device int64*, 3 index_to_device_group_map IntIntListEntryProto*,
        4 sharded_dim ShardedDimProto*""",
    "IntIntListEntryProto": "1 key int64, 2 value int64*",
    "ShardedDimProto": "1 axis int64, 2 simple_sharding SimpleShardedDimProto*",
    "SimpleShardedDimProto": "1 dim_value int64|, 2 dim_param text|, 3 num_shards int64",
}
_WIRE_TYPES = {"float": FIXED32, "double": FIXED64, "int64": VARINT, "uint64": VARINT, "int32": VARINT}
# A varint in as few bytes as it takes. Negative numbers have ten; an int32 is positive below 2**31.
_LONG = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,8}[\x01-\x7f]|[\x80-\xff]{9}\x01)"
_INT32 = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,3}[\x01-\x7f]|[\x80-\xff]{4}(?:[\x01-\x07]|[\xf8-\xff]\xff{4}\x01))"
_NUMBERS = {"float": rb"(?s:.{4})", "double": rb"(?s:.{8})", "int64": _LONG, "uint64": _LONG, "int32": _INT32}


def _repeated_number(number: int, name: str, kind: str) -> Iterator[tuple[int, Field]]:
    """A parser takes repeated numbers both ways: each with its tag, or packed."""
    tag = number << 3 | _WIRE_TYPES[kind]
    run = b"(?:" + re.escape(bytes([tag])) + _NUMBERS[kind] + b")++"
    yield tag, Field(name, run=re.compile(run))
    yield number << 3 | BYTES, Field(name, run=re.compile(_NUMBERS[kind] + b"*+"), packed=True)


def _field(number: int, name: str, kind: str) -> Iterator[tuple[int, Field]]:
    once = 1 << number
    if kind.endswith("|"):
        kind, once = kind[:-1], 1  # no field has the number 0
    if kind.endswith("*"):
        kind, once = kind[:-1], 0
        if kind in _WIRE_TYPES:
            yield from _repeated_number(number, name, kind)
            return
    if kind.startswith("enum"):
        yield number << 3 | VARINT, Field(name, once=once, below=int(kind[4:]))
    elif kind in _WIRE_TYPES:
        is_int32 = kind == "int32"
        below = 1 << (31 if is_int32 else 64)
        yield number << 3 | _WIRE_TYPES[kind], Field(name, once=once, below=below, signed32=is_int32)
    else:
        yield number << 3 | BYTES, Field(name, kind if kind in _MESSAGES else None, once)


def _message(name: str, text: str) -> Message:
    entries = (entry.split() for entry in text.split(","))
    return Message(name, dict(pair for number, *rest in entries for pair in _field(int(number), *rest)))


MESSAGES = {name: _message(name, text) for name, text in _MESSAGES.items()}
