"""Tensors of Triton's own client."""

import numpy as np
import tritonclient.http as triton

from maas.serving.datatypes import Array

SUM = [[1.5, 2.5], [3.5, 4.5]]


def tensor(name: str, array: Array, datatype: str = "FP32", *, binary: bool = True) -> triton.InferInput:
    given = triton.InferInput(name, list(array.shape), datatype)
    given.set_data_from_numpy(array, binary_data=binary)
    return given


def two(binary: bool = True) -> list[triton.InferInput]:
    """Inputs of onnx_models.added, which answers SUM in `y`; the second is always binary."""
    return [
        tensor("a", np.array([[1, 2], [3, 4]], np.float32), binary=binary),
        tensor("b", np.full((2, 2), 0.5, np.float32), binary=True),
    ]
