"""Values that a graph's OneHotEncoders know: a default export of scikit-learn's refuses all others."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maas.deployment.trial.fills import Fill, Values
from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES

MOST_BYTES = 256 << 20  # of a graph that is read for this
MOST_COLUMNS = 4096
_SAME_VALUES = {"Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}
_COLUMNS = {"Gather", "ArrayFeatureExtractor"}


def category_fills(path: Path, inputs: Sequence[MetadataTensor]) -> dict[str, Fill]:
    """For each input that reaches a OneHotEncoder, a category of it in the column that it reads."""
    if path.stat().st_size > MOST_BYTES:
        return {}
    try:
        import onnx  # here: it takes half a second
    except ImportError:  # in the inference function, which prepares forms for its CPU
        return {}
    graph = onnx.load(path, load_external_data=False).graph
    found: dict[str, dict[int | None, Any]] = {}
    producers = {output: node for node in graph.node for output in node.output}
    constants = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "OneHotEncoder" and (categories := _categories(node)):
            name, column = _source(node.input[0], producers, constants)
            found.setdefault(name, {})[column] = categories[0]
    return {tensor.name: _values(tensor, found[tensor.name]) for tensor in inputs if tensor.name in found}


def _categories(encoder: Any) -> list[Any]:
    named = {attribute.name: attribute for attribute in encoder.attribute}
    if "cats_strings" in named:
        return [one.decode("utf-8", "replace") for one in named["cats_strings"].strings]
    return list(named["cats_int64s"].ints) if "cats_int64s" in named else []


def _source(name: str, producers: Mapping[str, Any], constants: Mapping[str, Any]) -> tuple[str, int | None]:
    """The tensor that the values come from, and their column of it; None if it is not told."""
    column = None
    for _ in range(len(producers)):
        node = producers.get(name)
        if node is not None and node.op_type in _SAME_VALUES:
            name = node.input[0]
        elif node is not None and node.op_type in _COLUMNS and node.input[1] in constants:
            column, name = _first(constants[node.input[1]]), node.input[0]
        else:
            break
    return name, column


def _first(indices: Any) -> int | None:
    from onnx import numpy_helper

    if indices.external_data:
        return None
    array = numpy_helper.to_array(indices).ravel()
    return int(array[0]) if array.size else None


def _values(tensor: MetadataTensor, by_column: Mapping[int | None, Any]) -> Values:
    """One value for all columns, or one for each."""
    if None in by_column:
        return (by_column[None],)
    other = "a" if DTYPES[tensor.datatype].hasobject else 0
    declared = tensor.shape[-1] if tensor.shape else 1
    width = declared if declared > 0 else 1 + max(column or 0 for column in by_column)
    return tuple(by_column.get(column, other) for column in range(min(width, MOST_COLUMNS)))
