"""A model's signature by record: the shape that one record has of each input and output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput
from maas.serving.tensors import decode


@dataclass(frozen=True, slots=True)
class RecordTensor:
    """`shape` is that of one record, -1 where it varies; `declared` is the model's, with the batch dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    declared: tuple[int, ...]
    optional: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        return DTYPES[self.datatype]

    @property
    def is_one_value(self) -> bool:
        return self.shape in ((), (1,))


@dataclass(frozen=True, slots=True)
class RecordInputs:
    """`is_batched`: a record is one row of every input. Otherwise each record is a run of its own."""

    signature: tuple[MetadataTensor, ...]
    tensors: tuple[RecordTensor, ...]
    is_batched: bool

    @property
    def required(self) -> tuple[RecordTensor, ...]:
        return tuple(tensor for tensor in self.tensors if not tensor.optional)

    @property
    def single(self) -> RecordTensor | None:
        """The input that a record may give without its name."""
        required = self.required
        if len(required) == 1:
            return required[0]
        return self.tensors[0] if len(self.tensors) == 1 else None

    def shape_of(self, tensor: RecordTensor, value: object) -> tuple[int, ...]:
        """The shape of one record's value: the model's, or where that varies, the one of the nested lists."""
        return nested_shape(value, len(tensor.shape)) if -1 in tensor.shape else tensor.shape

    def arrays(self, columns: Mapping[str, Any]) -> dict[str, Array]:
        """The arrays to run. `columns` has each input's values, one a record, all nested alike; a list or an array.

        Raises InvalidRequest, InvalidTensor.
        """
        given = [tensor for tensor in self.tensors if tensor.name in columns]
        request = self._stacked if self.is_batched else _alone
        return decode([request(tensor, columns[tensor.name]) for tensor in given], self.signature)

    def _stacked(self, tensor: RecordTensor, values: Any) -> RequestInput:
        shape = (len(values), *self.shape_of(tensor, values[0]))
        return RequestInput(tensor.name, tensor.datatype, shape, joined(values))


def joined(values: Any) -> Any:
    """One array of arrays of one shape; other values as a list without arrays."""
    if isinstance(values, np.ndarray) or not any(isinstance(value, np.ndarray) for value in values):
        return values
    if len({getattr(value, "shape", None) for value in values}) == 1:
        return np.stack(values)
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


def _alone(tensor: RecordTensor, values: list[Any]) -> RequestInput:
    """The tensor of a record that runs alone: a leading dimension of 1 may be left out."""
    value, declared = values[0], tensor.declared
    nested = nested_shape(value, len(declared))
    if declared[:1] == (1,) and len(nested) < len(declared):
        value, nested = [value], (1, *nested)
    shape = nested if -1 in declared else declared
    return RequestInput(tensor.name, tensor.datatype, shape, value if isinstance(value, list) else [value])


def record_inputs(signature: Sequence[MetadataTensor], format_: str) -> RecordInputs:
    """The inputs by record. Raises InvalidRequest for a model whose inputs the format cannot hold."""
    required = [tensor for tensor in signature if not tensor.optional] or list(signature)
    is_batched = bool(required) and all(tensor.shape[:1] == (-1,) for tensor in required)
    tensors = tuple(
        RecordTensor(tensor.name, tensor.datatype, _record_shape(tensor, is_batched), tensor.shape, tensor.optional)
        for tensor in signature
        if not is_batched or tensor.shape[:1] == (-1,)  # an optional input without rows keeps its default
    )
    if not tensors:
        raise InvalidRequest("model: got one without inputs, expected one that takes records", field="model")
    for tensor in tensors:
        if tensor.datatype == "BF16" and not tensor.optional:
            raise InvalidRequest(f"input '{tensor.name}': got BF16, which {format_} has no form for", field="input")
    return RecordInputs(tuple(signature), tensors, is_batched)


def record_outputs(outputs: Sequence[MetadataTensor], format_: str) -> list[RecordTensor]:
    """The outputs by record: without the first dimension if that is variable or 1.

    Raises InvalidRequest for outputs that the format cannot hold.
    """
    for tensor in outputs:
        if tensor.datatype == "BF16":
            reason = f"output '{tensor.name}': got BF16, which {format_} has no form for; leave it out with select"
            raise InvalidRequest(reason, field="select")
    return [
        RecordTensor(tensor.name, tensor.datatype, _record_shape(tensor, tensor.shape[:1] == (-1,)), tensor.shape)
        for tensor in outputs
    ]


def record_rows(array: Array, tensor: RecordTensor, whole: bool) -> Array:
    """An output as (records, *record); for a `whole` chunk the model's own array gets that axis if needed."""
    if not whole or (tensor.declared[:1] == (1,) and array.shape[:1] == (1,)):
        return array
    return array[np.newaxis]


def _record_shape(tensor: MetadataTensor, is_batched: bool) -> tuple[int, ...]:
    return tensor.shape[1:] if is_batched or tensor.shape[:1] == (1,) else tensor.shape


def nested_shape(value: object, rank: int) -> tuple[int, ...]:
    """The shape of nested lists by their first elements, at most `rank` deep."""
    shape: list[int] = []
    while len(shape) < rank and isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)
