"""Converts the outputs of a graph into tensors that the protocol can carry.

A tensor stays as it is. A sequence of tensors of one shape is stacked on a new first axis. A map, or a sequence of maps
with equal keys (ZipMap's form of a classifier's probabilities), becomes two tensors: the values as `NAME` of shape
[rows, keys], and the keys as `NAME_labels` of shape [keys].
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from maas.errors import ModelRejected, RunFailed
from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, ELEMENTS, Array
from maas.serving.strings import array_of

_TENSOR = re.compile(r"tensor\((\w+)\)")
_SEQUENCE = re.compile(r"seq\(tensor\((\w+)\)\)")
_MAP = re.compile(r"(seq\()?map\((\w+),tensor\((\w+)\)\)+")


class ServedOutput(NamedTuple):
    """A tensor of the answer. `convert` makes it from the graph's output `source`; None: it is that output.

    The values of a sequence of maps, one row each, name the tensor with their `keys`. `is_keys` marks that tensor: it
    has one entry per column.
    """

    tensor: MetadataTensor
    source: str
    convert: Callable[[Any], Array] | None = None
    keys: str | None = None
    is_keys: bool = False


def served(name: str, kind: str, shape: Sequence[int]) -> list[ServedOutput]:
    """The tensors for the graph's output `name` of onnxruntime's type `kind`.

    Raises ModelRejected for a type that the protocol cannot carry.
    """
    if found := _TENSOR.fullmatch(kind):
        return [ServedOutput(MetadataTensor(name, datatype_of(found[1], f"output '{name}'"), tuple(shape)), name)]
    if found := _SEQUENCE.fullmatch(kind):
        datatype = datatype_of(found[1], f"output '{name}'")
        tensor = MetadataTensor(name, datatype, (-1, *shape))
        return [ServedOutput(tensor, name, lambda value: _stacked(name, value, DTYPES[datatype]))]
    if found := _MAP.fullmatch(kind):
        keys, values = (datatype_of(one, f"output '{name}'") for one in found.group(2, 3))
        rows = (-1,) if found[1] else ()
        numbers, labels = MetadataTensor(name, values, (*rows, -1)), MetadataTensor(f"{name}_labels", keys, (-1,))
        return [
            ServedOutput(
                numbers, name, lambda value: _values(name, value, DTYPES[values]), labels.name if rows else None
            ),
            ServedOutput(labels, name, lambda value: _keys(value, DTYPES[keys]), is_keys=True),
        ]
    raise ModelRejected(f"output '{name}' is a {kind}, which the Open Inference Protocol cannot carry")


def datatype_of(element: str, what: str) -> str:
    """The protocol's datatype for onnxruntime's element type. Raises ModelRejected if there is none."""
    if element not in ELEMENTS:
        raise ModelRejected(
            f"{what} is a tensor of {element}, for which the Open Inference Protocol has no datatype: "
            "cast it inside the model, e.g. to float16 or int8, and export it again"
        )
    return ELEMENTS[element]


def _stacked(name: str, value: list[Array], dtype: np.dtype[Any]) -> Array:
    shapes = {array.shape for array in value}
    if len(shapes) > 1:
        came, advice = sorted(shapes), "give the model an output for each, made by SequenceAt"
        raise RunFailed(
            f"output '{name}' is a sequence of tensors of the shapes {came}: one tensor cannot hold them, {advice}"
        )
    return np.stack(value) if value else np.empty(0, dtype)


def _values(name: str, value: Any, dtype: np.dtype[Any]) -> Array:
    rows = [value] if isinstance(value, dict) else value
    if any(row.keys() != rows[0].keys() for row in rows):
        raise RunFailed(f"output '{name}' is a sequence of maps with different keys: one tensor cannot hold them")
    labels = list(rows[0]) if rows else []
    numbers = np.array([[row[label] for label in labels] for row in rows], dtype).reshape(len(rows), len(labels))
    return numbers[0] if isinstance(value, dict) else numbers


def _keys(value: Any, dtype: np.dtype[Any]) -> Array:
    rows = [value] if isinstance(value, dict) else value
    labels = list(rows[0]) if rows else []
    return array_of(labels) if dtype.hasobject else np.array(labels, dtype)
