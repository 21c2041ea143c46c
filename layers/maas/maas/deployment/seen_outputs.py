"""Outputs with the shapes that the smoke run gave: onnxruntime runs a graph whose declared output shapes are wrong."""

from collections.abc import Sequence
from dataclasses import replace

from maas.errors import ModelRejected
from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, Array


def seen_outputs(declared: Sequence[MetadataTensor], arrays: Sequence[Array]) -> tuple[list[MetadataTensor], list[str]]:
    """The outputs with the shapes that clients see, and a warning for each wrong declaration.

    A dimension that differs from its declaration is -1; of a wrong rank, all are. Raises ModelRejected for an array
    of another datatype than declared.
    """
    outputs, warnings = [], []
    for tensor, array in zip(declared, arrays, strict=True):
        if array.dtype != DTYPES[tensor.datatype]:
            raise ModelRejected(f"output '{tensor.name}' is declared {tensor.datatype}, but is {array.dtype}")
        shape = _seen_shape(tensor.shape, array.shape)
        outputs.append(replace(tensor, shape=shape))
        if shape != tensor.shape and not _is_undeclared(tensor.shape, array.shape):
            came, told = list(array.shape), list(shape)
            warnings.append(
                f"output '{tensor.name}' is declared of shape {list(tensor.shape)}, but came as {came}: "
                f"it is served as it comes, with the shape {told}; export the model again to correct the declaration"
            )
    return outputs, warnings


def _seen_shape(declared: Sequence[int], came: Sequence[int]) -> tuple[int, ...]:
    if len(declared) != len(came):
        return (-1,) * len(came)
    return tuple(fixed if fixed == size else -1 for fixed, size in zip(declared, came, strict=True))


def _is_undeclared(declared: tuple[int, ...], came: tuple[int, ...]) -> bool:
    """Whether the graph tells no rank: it declares no shape, or the output is a sequence."""
    return declared in ((), (-1,)) and len(came) > len(declared)
