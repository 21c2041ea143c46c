"""Whole numbers in a graph that may be the size of an input's dimension."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from maas.deployment.onnx_file import fields, messages, packed

LARGEST = 1 << 20
MOST = 300  # numbers, the smallest first
FEW = 16  # elements of a tensor that may hold sizes; larger ones hold weights
_RAW_TYPES = {6: np.int32, 7: np.int64}  # by TensorProto.DataType


def graph_numbers(path: Path) -> list[int]:
    """Ascending: dimensions of weights, numbers of short integer tensors and of attributes, their sums and products.

    One more than each, too: a Pad of 64 needs a larger size, a Split the sum of its parts, a Reshape a product.
    """
    found: set[int] = set()
    for kind, message in messages(path):
        for numbers in _lists(kind, message) if kind in ("tensor", "attribute") else ():
            positive = [number for number in numbers if 0 < number <= LARGEST]
            found.update(positive, (number + 1 for number in positive), (sum(positive), math.prod(positive)))
    return [number for number in sorted(found) if 0 < number <= LARGEST][:MOST]


def _lists(kind: str, message: memoryview) -> Iterator[list[int]]:
    """Dimensions and values of a tensor; numbers of an attribute."""
    data_type, raw = 0, b""
    values: dict[int, list[int]] = {}
    for number, value in fields(message):
        if number == 2 and isinstance(value, int):
            data_type = value
        elif number == 9 and isinstance(value, memoryview) and len(value) <= FEW * 8:
            raw = bytes(value)
        elif number in ((1, 5, 7) if kind == "tensor" else (3, 8)):  # dims, int32_data, int64_data; i, ints
            values.setdefault(number, []).extend(packed(value))
    if kind == "tensor" and data_type in _RAW_TYPES:
        dtype = np.dtype(_RAW_TYPES[data_type])
        yield np.frombuffer(raw[: len(raw) // dtype.itemsize * dtype.itemsize], dtype).tolist()
    yield from (numbers for numbers in values.values() if len(numbers) <= FEW)
