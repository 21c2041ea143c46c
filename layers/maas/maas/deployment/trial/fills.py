"""Values of generated inputs: what most models take, and other values for those that do not."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, Array

Values = tuple[Any, ...]  # of the last axis: one for all, or one for each column
Fill = str | Values
# fractions, 0 (an index, a length), false and "a"; 1, true and "1"; the length of the sequence
TYPICAL, ONE, LENGTH = "typical", "one", "length"
_MOST_ALONE = 6  # inputs of which each gets another value than the others
_BFLOAT16_ONE = 0x3F80
_MOST_TOLD_BYTES = 8000  # of a version's row


@dataclass(frozen=True, slots=True)
class Trial:
    """Inputs by their shapes and fills; the arrays are generated from them, the same ones each time."""

    shapes: Mapping[str, Sequence[int]]
    fills: Mapping[str, Fill]

    @property
    def elements(self) -> int:
        return sum(int(np.prod(shape, dtype=np.float64)) for shape in self.shapes.values())

    @property
    def length(self) -> int:
        """Of the sequence."""
        return max((size for shape in self.shapes.values() for size in shape[1:]), default=1)

    def arrays(self, inputs: Sequence[MetadataTensor]) -> dict[str, Array]:
        return {
            tensor.name: filled(tensor.datatype, self.shapes[tensor.name], self.fills[tensor.name], self.length)
            for tensor in inputs
        }

    def values(self, inputs: Sequence[MetadataTensor]) -> dict[str, list[Any]] | None:
        """What an input is filled with, repeated along its last axis; an input of fractions is left out.

        None where they are too many to be told.
        """
        found = {one.name: _values(one.datatype, self.fills[one.name], self.length) for one in inputs}
        told = {name: values for name, values in found.items() if values}
        return told if len(json.dumps(told)) <= _MOST_TOLD_BYTES else None


def filled(datatype: str, shape: Sequence[int], fill: Fill | list[Any], length: int = 1) -> Array:
    """An array of the protocol's datatype and this shape, row-major."""
    dtype = DTYPES[datatype]
    if not isinstance(fill, str):
        return np.resize(np.array(fill, dtype if dtype.hasobject else np.int64), shape).astype(dtype)
    if dtype.hasobject:
        return np.full(shape, "a" if fill == TYPICAL else "1", dtype=object)
    if dtype.kind == "f" and fill == TYPICAL:
        return np.random.default_rng(0).random(shape).astype(dtype)
    if fill == TYPICAL:
        return np.zeros(shape, dtype)
    if datatype == "BF16":
        return np.full(shape, _BFLOAT16_ONE, dtype)
    return np.full(shape, length if fill == LENGTH and dtype.kind in "iu" else 1, dtype)


def _values(datatype: str, fill: Fill | list[Any], length: int) -> list[Any]:
    if fill == TYPICAL and DTYPES[datatype].kind == "f":
        return []
    if datatype == "BF16":
        return [0.0 if fill == TYPICAL else 1.0]
    found: list[Any] = filled(datatype, (1,), fill, length).tolist() if isinstance(fill, str) else list(fill)
    return found


def fills(inputs: Sequence[MetadataTensor]) -> Iterator[dict[str, Fill]]:
    """Fills by input name, those that most models take first."""
    typical: dict[str, Fill] = dict.fromkeys((tensor.name for tensor in inputs), TYPICAL)
    discrete = [one.name for one in inputs if DTYPES[one.datatype].kind != "f" or len(one.shape) <= 1]
    short = [one.name for one in inputs if DTYPES[one.datatype].kind in "iu" and len(one.shape) <= 1]
    yield typical
    yield typical | dict.fromkeys(discrete, ONE)
    yield typical | dict.fromkeys(short, LENGTH)
    yield typical | dict.fromkeys(discrete, ONE) | dict.fromkeys(short, LENGTH)
    if 2 <= len(discrete) <= _MOST_ALONE:
        yield from (typical | {name: ONE} for name in discrete)
