"""Fits values to a model's signature: lists and numbers to its datatype, arrays only without loss."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from maas_client.errors import InvalidInput
from maas_client.protocol.tensors import BF16, DTYPES, Tensor, check_mask
from maas_client.records.inference import MetadataTensor

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # as JSON of the protocol writes them
_NUMBERS = (int, float, np.integer, np.floating)
_BOOLEANS = (bool, np.bool_)
_NO_NUMBERS = (*_BOOLEANS, np.timedelta64)  # kinds of int and np.integer
_TEXTS = (str, bytes)


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether the value has a datatype of its own, or is an array of objects, which are mostly text."""
    return isinstance(value, np.ndarray | np.generic | BF16)


def holds_objects(value: object) -> bool:
    """Whether it is an array that may hold numbers or text, as that of a frame with columns of several types."""
    return isinstance(value, np.ndarray) and value.dtype == np.object_


def by_input(inputs: Any, expected: Sequence[MetadataTensor]) -> dict[str, Any]:
    """Inputs by name: of a mapping, of a frame's columns where there are several inputs, or of the only one."""
    if isinstance(inputs, Mapping):
        return dict(inputs)
    if len(_required(expected)) > 1 and hasattr(inputs, "columns"):
        return {name: inputs[name] for name in inputs.columns}
    return {only(expected).name: inputs}


def only(expected: Sequence[MetadataTensor]) -> MetadataTensor:
    """The input that a single array is for. Raises InvalidInput where there are several."""
    required = _required(expected)
    if len(required) != 1:
        raise InvalidInput(f"the model takes {shown(required)}: give a mapping that names each")
    return required[0]


def _required(expected: Sequence[MetadataTensor]) -> list[MetadataTensor]:
    return [tensor for tensor in expected if not tensor.is_optional] or list(expected)


def fit(values: Any, tensor: MetadataTensor) -> Tensor:
    """The values in the tensor's datatype and rank: a single record becomes a batch of one, floats may be rounded.

    Raises InvalidInput where the shape does not fit, and for values of another kind: None, masked values, booleans
    among numbers, text where numbers are expected.
    """
    dtype = np.dtype(np.float32) if tensor.datatype == "BF16" else DTYPES.get(tensor.datatype)
    if dtype is None:
        raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype}, which this client does not know")
    try:
        array = _converted(_plain(values), dtype, tensor)
    except OverflowError:
        raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype} values, got a number beyond its range") from None
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype} values in rows of one length") from None
    came = list(array.shape)
    array = _ranked(array, tensor.shape)
    fits = array.ndim == len(tensor.shape) and all(
        fixed in (-1, size) for size, fixed in zip(array.shape, tensor.shape, strict=True)
    )
    if not fits:
        raise InvalidInput(f"'{tensor.name}' has shape {came}, expected {list(tensor.shape)} (-1: any size)")
    return BF16.of(array) if tensor.datatype == "BF16" else array


def widened(given: Tensor, tensor: MetadataTensor) -> Tensor:
    """The array in the tensor's datatype and rank if every value stays exactly the same, else unchanged."""
    if isinstance(given, BF16):
        return BF16(_ranked(given.bits, tensor.shape))
    check_mask(tensor.name, given)
    array = _ranked(np.asarray(given), tensor.shape)
    dtype = np.dtype(np.float32) if tensor.datatype == "BF16" else DTYPES.get(tensor.datatype)
    if dtype is None or array.dtype.kind not in "iuf" or dtype.kind not in "iuf":
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype)
    if not _is_exact(array, converted):
        return array
    if tensor.datatype != "BF16":
        return converted
    bits = BF16.of(converted)
    return bits if np.array_equal(bits.wide(), converted, equal_nan=True) else array


def _is_exact(array: np.ndarray, converted: np.ndarray) -> bool:
    """Whether the conversion back gives the same values."""
    for floats, integers in ((array, converted), (converted, array)):
        # Out of range, the conversion back is undefined: some CPUs saturate, and the values look equal.
        if floats.dtype.kind == "f" and integers.dtype.kind in "iu" and not _within(floats, integers.dtype):
            return False
    if array.dtype.kind in "iu" and converted.dtype.kind in "iu" and array.size:
        limits = np.iinfo(converted.dtype)
        return bool(int(array.min()) >= limits.min and int(array.max()) <= limits.max)
    return np.array_equal(converted.astype(array.dtype), array, equal_nan=array.dtype.kind == "f")


def _within(floats: np.ndarray, dtype: np.dtype[Any]) -> bool:
    limits, wide = np.iinfo(dtype), floats.astype(np.float64)
    return bool((np.isfinite(wide) & (wide >= float(limits.min)) & (wide < float(limits.max) + 1)).all())


def _ranked(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A single record becomes a batch of one; a column of single values and a vector what is expected of the two."""
    if array.ndim == 1 and len(shape) == 2 and shape[1] == 1 and shape[0] in (-1, len(array)):
        return array[:, np.newaxis]
    if array.ndim == len(shape) - 1 and shape[0] in (-1, 1):
        return array[np.newaxis]
    if array.ndim == 2 and array.shape[1] == 1 and len(shape) == 1:
        return array[:, 0]
    return array


def _plain(values: Any) -> Any:
    """Converts series, frames and tensors of other libraries to arrays."""
    if isinstance(values, np.ndarray | np.generic) or not hasattr(values, "__array__"):
        return values
    try:
        return np.asarray(values)
    except Exception as error:  # whatever that library raises
        raise InvalidInput(f"a {type(values).__name__} cannot become an array: {error}") from None


def _converted(values: Any, dtype: np.dtype[Any], tensor: MetadataTensor) -> np.ndarray:
    """Raises InvalidInput for values of another kind; ValueError, TypeError, OverflowError."""
    kinds = _kinds(values)
    allowed: tuple[type, ...] = {"b": _BOOLEANS, "O": _TEXTS}.get(dtype.kind, _NUMBERS)
    may_be_words = dtype.kind == "f" and not all(issubclass(kind, _NUMBERS) for kind in kinds)
    for kind in kinds:
        is_no_number = dtype.kind != "b" and issubclass(kind, _NO_NUMBERS)
        if is_no_number or not (issubclass(kind, allowed) or (may_be_words and issubclass(kind, str))):
            raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype} values, got {_called(kind)}")
    if dtype.kind == "O":
        return np.asarray(values, np.object_)  # of objects from the start: a fixed width would drop zeros at the end
    if dtype.kind == "b":
        return np.asarray(values, np.bool_)
    if dtype.kind in "iu":
        return _whole(values, kinds, dtype, tensor)
    return _floats(_without_words(values, tensor) if may_be_words else np.asarray(values), dtype)


def _floats(found: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Raises OverflowError where a finite value would become infinite."""
    wide = found.astype(np.float64) if found.dtype.kind == "O" else found
    with np.errstate(over="ignore"):
        array = wide.astype(dtype)
    if (np.isinf(array) & np.isfinite(wide)).any():
        raise OverflowError
    return array


def _whole(values: Any, kinds: set[type], dtype: np.dtype[Any], tensor: MetadataTensor) -> np.ndarray:
    """Raises InvalidInput for a fraction, NaN and infinity, OverflowError for what is too large."""
    are_integers = all(issubclass(kind, int | np.integer) for kind in kinds)
    # NumPy converts integers among floats to floats, and loses digits.
    found = np.asarray(values) if are_integers or isinstance(values, np.ndarray) else np.asarray(values, np.object_)
    if found.dtype.kind == "O" or (are_integers and found.dtype.kind == "f"):
        found = np.asarray(values, np.object_)
        flat = found.ravel().tolist()
        for one in flat:
            if isinstance(one, float | np.floating) and not float(one).is_integer():
                raise _no_whole(one, tensor)
        return np.array([int(one) for one in flat], np.object_).astype(dtype).reshape(found.shape)
    with np.errstate(invalid="ignore"):
        array = found.astype(dtype)
    if found.size and not _is_exact(found, array):
        if found.dtype.kind == "f" and (fractions := found[found != np.trunc(found)]).size:
            raise _no_whole(fractions.flat[0], tensor)
        raise OverflowError
    return array


def _no_whole(one: float | np.floating[Any], tensor: MetadataTensor) -> InvalidInput:
    return InvalidInput(f"'{tensor.name}' takes {tensor.datatype} values, got {float(one)}, which is no whole number")


def _without_words(values: Any, tensor: MetadataTensor) -> np.ndarray:
    """NaN, Infinity and -Infinity as text become numbers. Raises InvalidInput for any other text."""
    found = np.asarray(values, np.object_)
    for one in found.ravel().tolist():
        if isinstance(one, str) and one not in WORDS:
            raise InvalidInput(f"'{tensor.name}' takes {tensor.datatype} values, got the text {one!r:.40}")
    flat = [WORDS[one] if isinstance(one, str) else one for one in found.ravel().tolist()]
    return np.array(flat, np.float64).reshape(found.shape)


def _kinds(values: Any) -> set[type]:
    """The types of the single values in nested lists and arrays."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        return {np.ma.MaskedArray}
    if isinstance(values, np.ndarray):
        return set(map(type, values.ravel().tolist())) if values.dtype.kind == "O" else {values.dtype.type}
    if not isinstance(values, list | tuple):
        return {type(values)}
    found = set(map(type, values))
    if any(issubclass(kind, list | tuple | np.ndarray) for kind in found):
        return set[type]().union(*map(_kinds, values))
    return found


def _called(kind: type) -> str:
    if issubclass(kind, np.ma.MaskedArray):
        return "masked values: fill them first, as with array.filled(0)"
    if kind is type(None):
        return "None: write NaN for a missing float"
    return f"{'an' if kind.__name__[0] in 'aeio' else 'a'} {kind.__name__}"


def array_of(name: str, values: Any) -> np.ndarray:
    """An array of values without a signature. Raises InvalidInput for mixed kinds, which NumPy would convert.

    None would become NaN, True among numbers 1, numbers among strings strings.
    """
    kinds = _kinds(_plain(values))
    families = [_NUMBERS, _BOOLEANS, _TEXTS]
    times = {kind for kind in kinds if issubclass(kind, np.timedelta64)}  # kinds of np.integer
    found = {next((at for at in (1, 0, 2) if issubclass(kind, families[at])), kind) for kind in kinds - times} | times
    strange = [kind for kind in found if isinstance(kind, type)]
    if strange:
        raise InvalidInput(f"'{name}' holds {_called(strange[0])}, expected numbers, booleans or text")
    if len(found) > 1:
        raise InvalidInput(f"'{name}' holds values of several kinds, expected numbers, booleans or text alone")
    try:
        return np.asarray(_plain(values), np.object_ if found == {2} else None)
    except ValueError:
        raise InvalidInput(f"'{name}' has rows of several lengths") from None


def names(found: Iterable[str]) -> str:
    listed = list(found)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def shown(expected: Sequence[MetadataTensor]) -> str:
    return ", ".join(f"{tensor.name} {tensor.datatype} {list(tensor.shape)}" for tensor in expected)
