"""Whole numbers in a graph that may be the size of an input's dimension."""

import math
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from maas.deployment import onnx_file

LARGEST = 1 << 20
MOST = 300  # numbers, the smallest first
FEW = 16  # elements of a tensor that may hold sizes; larger ones hold weights
_RAW_TYPES: Mapping[int, np.dtype[Any]] = {6: np.dtype(np.int32), 7: np.dtype(np.int64)}  # by TensorProto.DataType
_KEEP: onnx_file.Keep = {
    "TensorProto": {"dims", "data_type", "raw_data", "int32_data", "int64_data"},
    "AttributeProto": {"i", "ints"},
}


def graph_numbers(path: Path) -> list[int]:
    """Ascending: dimensions of weights, numbers of short integer tensors and of attributes, their sums and products.

    One more than each, too: a Pad of 64 needs a larger size, a Split the sum of its parts, a Reshape a product.
    """
    found: set[int] = set()
    for numbers in chain.from_iterable(map(_lists, onnx_file.parts(path, _KEEP))):
        positive = [number for number in numbers if 0 < number <= LARGEST]
        found.update(positive, (number + 1 for number in positive), (sum(positive), math.prod(positive)))
    return [number for number in sorted(found) if 0 < number <= LARGEST][:MOST]


def _lists(part: onnx_file.Part) -> Iterator[list[int]]:
    """Dimensions and values of a tensor; numbers of an attribute."""
    dtype, raw = _RAW_TYPES.get(part.integer("data_type")), part.content("raw_data")
    if dtype is not None and len(raw) <= FEW * 8:
        yield np.frombuffer(raw[: len(raw) // dtype.itemsize * dtype.itemsize], dtype).tolist()
    yield [part.integer("i")]
    yield from (part.numbers(name, FEW) or [] for name in ("dims", "int32_data", "int64_data", "ints"))
