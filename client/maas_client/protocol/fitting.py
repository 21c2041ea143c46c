"""Values without a datatype of their own, as lists and files have them, made into what a model's signature says."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

import numpy as np

from maas_client.errors import InvalidInput
from maas_client.inference_records import MetadataTensor
from maas_client.protocol.tensors import BF16, DTYPES, Tensor


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether it says its datatype itself."""
    return isinstance(value, np.ndarray | np.generic | BF16)


def only(expected: Sequence[MetadataTensor]) -> MetadataTensor:
    if len(expected) != 1:
        raise InvalidInput(f"the model takes {shown(expected)}: give a mapping that names each")
    return expected[0]


def fit(values: Any, tensor: MetadataTensor) -> Tensor:
    """The values in the tensor's datatype and rank: a single record becomes a batch of one.

    Raises InvalidInput where the shape does not fit, or a value would change but by rounding a float.
    """
    dtype = np.dtype(np.float32) if tensor.datatype == "BF16" else DTYPES.get(tensor.datatype)
    if dtype is None:
        raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype}, which this client does not know")
    try:
        array = _converted(values, dtype)
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype} values in rows of one length") from None
    came = list(array.shape)
    array = _ranked(array, tensor.shape)
    fits = array.ndim == len(tensor.shape) and all(
        fixed in (-1, size) for size, fixed in zip(array.shape, tensor.shape, strict=True)
    )
    if not fits:
        raise InvalidInput(f"'{tensor.name}' has shape {came}, expected {list(tensor.shape)} (-1: any size)")
    return BF16.of(array) if tensor.datatype == "BF16" else array


def _ranked(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A single record becomes a batch of one, and a column of single values a vector where one is expected."""
    if array.ndim == len(shape) - 1 and shape[0] in (-1, 1):
        return array[np.newaxis]
    if array.ndim == 2 and array.shape[1] == 1 and len(shape) == 1:
        return array[:, 0]
    return array


def _converted(values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """Without loss where whole numbers are expected; text is read as numbers. Raises ValueError, TypeError."""
    if dtype.kind == "O":
        return _texts(values)
    found = np.asarray(values)
    if found.dtype.kind == "U":
        if dtype.kind == "b":
            return _booleans(found)
        found = np.where(found == "", "nan", found).astype(np.float64 if dtype.kind == "f" else dtype)
    if found.dtype.kind == "O" and dtype.kind == "f":  # JSON nulls among numbers
        found = found.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        array = found.astype(dtype)
    if dtype.kind == "f" and (np.isinf(array) & np.isfinite(found)).any():
        raise OverflowError
    if dtype.kind != "f" and not np.array_equal(array, found):
        raise ValueError
    # Some processors make the largest integer of what is too large, which then equals it as a float.
    if dtype.kind in "iu" and found.dtype.kind == "f" and (found >= float(np.iinfo(dtype).max) + 1).any():
        raise OverflowError
    return array


def _texts(values: Any) -> np.ndarray:
    # Of objects from the start: a fixed-width array would drop zeros at the end of each.
    array = np.asarray(values, np.object_)
    if not all(isinstance(value, str | bytes) for value in array.ravel().tolist()):
        raise TypeError
    return array


def _booleans(found: np.ndarray) -> np.ndarray:
    lowered = np.char.lower(np.char.strip(found))
    if not np.isin(lowered, ["true", "false", "1", "0"]).all():
        raise ValueError
    return np.isin(lowered, ["true", "1"])


def names(found: Iterable[str]) -> str:
    listed = list(found)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def shown(expected: Sequence[MetadataTensor]) -> str:
    return ", ".join(f"{tensor.name} {tensor.datatype} {list(tensor.shape)}" for tensor in expected)
