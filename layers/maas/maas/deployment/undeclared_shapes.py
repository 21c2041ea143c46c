"""Inputs without a shape in the file: onnxruntime says of them what it says of scalars."""

from collections.abc import Sequence
from pathlib import Path

from maas.deployment import onnx_file
from maas.records import MetadataTensor

_KEEP: onnx_file.Keep = {
    "ValueInfoProto": {"name", "type"},
    "TypeProto": {"tensor_type"},
    "TypeProto.Tensor": {"shape"},
}
_OF_GRAPH = 2  # levels below the model


def undeclared_shapes(path: Path, inputs: Sequence[MetadataTensor]) -> list[str]:
    """A warning for each of the inputs that is served as a scalar because its shape is not declared."""
    scalars = {tensor.name for tensor in inputs if not tensor.shape}
    if not scalars:
        return []
    values = (
        part for part in onnx_file.parts(path, _KEEP) if part.kind == "ValueInfoProto" and part.depth == _OF_GRAPH
    )
    types = {value.shown("name"): value.parts("type") for value in values}
    return [
        f"input '{name}' declares no shape, so it takes a single value: export the model with the input's shape"
        for name in sorted(scalars)
        if any(not tensor.parts("shape") for type_ in types.get(name, ()) for tensor in type_.parts("tensor_type"))
    ]
