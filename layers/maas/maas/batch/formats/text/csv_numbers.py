"""Numbers of CSV text to arrays: by orjson, which is fast, where all of it is JSON too; else by NumPy's own reader.

Both round a decimal to the nearest number, so a cell comes to the same whatever stands beside it.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from maas.batch.formats.interface import Array
from maas.errors import InvalidRequest

_OF_NUMBERS = b"0123456789+-.eE,"  # nothing that JSON could nest or quote with


def numbers(texts: Sequence[str], count: int, dtype: np.dtype[Any]) -> Array:
    """Of texts with commas in and between them, flat. Raises InvalidRequest unless they are `count` numbers.

    `dtype` is float64, int64 or uint64.
    """
    found = _as_json(",".join(texts), dtype)
    if found is None:
        found = _as_numpy(texts, dtype)
    if found.size != count:
        raise InvalidRequest("record: got other text, expected numbers")
    return found


def _as_json(text: str, dtype: np.dtype[Any]) -> Array | None:
    encoded = text.encode()
    if encoded.translate(None, _OF_NUMBERS) or b"-0," in encoded or encoded.endswith(b"-0"):  # JSON's -0 is 0
        return None
    try:
        values = orjson.loads(b"[%b]" % encoded)
        if dtype.kind == "f":
            return np.array(values, dtype)
        found, limits = np.array(values), np.iinfo(dtype)
        fits = found.dtype.kind in "iu" and limits.min <= int(found.min()) and int(found.max()) <= limits.max
        return found.astype(dtype) if fits else None
    except (orjson.JSONDecodeError, OverflowError):
        return None


def _as_numpy(texts: Sequence[str], dtype: np.dtype[Any]) -> Array:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a fraction for an integer is only warned of
            return np.loadtxt(texts, dtype, delimiter=",", comments=None, ndmin=2).reshape(-1)
    except (ValueError, OverflowError, Warning):
        return np.empty(0, dtype)
