"""How outputs differ: those of a model from what its golden vectors expect, those of one version from another's."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from maas.records.samples import NOTHING, TOP1, Shadow
from maas.serving.datatypes import Array


def differs(what: str, came: Array, wanted: Array, rtol: float, atol: float) -> str | None:
    """How the output differs most; None if it is within the tolerances."""
    if came.shape != wanted.shape:
        return f"{what} has the shape {list(came.shape)}, expected {list(wanted.shape)}"
    if came.dtype.kind != "f":
        unequal = np.asarray(came != wanted)
        if not unequal.any():
            return None
        return _worst(what, came, wanted, np.unravel_index(int(unequal.argmax()), unequal.shape), "the same")
    size = np.abs(wanted.astype(np.float64))
    excess = difference(came, wanted) - np.where(np.isfinite(size), atol + rtol * size, 0)
    excess[np.isnan(excess)] = -np.inf  # both NaN, or the same infinity
    if not excess.size or excess.max() <= 0:
        return None
    place = np.unravel_index(int(excess.argmax()), excess.shape)
    return _worst(what, came, wanted, place, f"within rtol {rtol:g} and atol {atol:g}")


def difference(came: Array, wanted: Array) -> Array:
    """|came - wanted| in float64; infinite where only one is NaN, NaN where both are NaN or the same infinity."""
    with np.errstate(invalid="ignore"):
        found: Array = np.atleast_1d(np.abs(came.astype(np.float64) - wanted.astype(np.float64)))
    found[np.atleast_1d(np.isnan(came) != np.isnan(wanted))] = np.inf
    return found


def _worst(what: str, came: Array, wanted: Array, place: tuple[Any, ...], allowed: str) -> str:
    at = [int(one) for one in place][: came.ndim]
    value, expected = (array[tuple(at)] if array.ndim else array[()] for array in (came, wanted))
    return f"{what} differs most at {at}: got {value}, expected {expected} {allowed}"


class Compared(NamedTuple):
    """`difference` is the largest of all values, infinite where a value, shape or output has no counterpart."""

    is_same: bool
    difference: float = 0.0


def compared(came: Mapping[str, Array], wanted: Mapping[str, Array], shadow: Shadow) -> Compared:
    """A version's outputs beside those that were answered, as `shadow` asks."""
    if shadow.compare == NOTHING:
        return Compared(True)
    found = [_compared(came.get(name), array, shadow) for name, array in wanted.items()]
    return Compared(all(one.is_same for one in found), max((one.difference for one in found), default=0.0))


def _compared(came: Array | None, wanted: Array, shadow: Shadow) -> Compared:
    if came is None or came.shape != wanted.shape or came.dtype != wanted.dtype:
        return Compared(False, math.inf)
    largest = largest_difference(came, wanted)
    if shadow.compare == TOP1 and wanted.dtype.kind == "f" and wanted.ndim and wanted.shape[-1]:
        return Compared(bool(np.array_equal(came.argmax(axis=-1), wanted.argmax(axis=-1))), largest)
    return Compared(differs("", came, wanted, shadow.rtol, shadow.atol) is None, largest)


def largest_difference(came: Array, wanted: Array) -> float:
    """Of arrays of one shape and type; of strings and booleans infinite if any differs."""
    if wanted.dtype.kind not in "fiu":
        return 0.0 if bool((came == wanted).all()) else math.inf
    found = difference(came, wanted)
    found[np.isnan(found)] = 0
    return float(found.max(initial=0.0))
