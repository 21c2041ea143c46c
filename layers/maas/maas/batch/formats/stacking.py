"""Decodes many records at once, and finds the bad ones where that fails."""

from collections.abc import Callable, Sequence

import numpy as np

from maas.errors import InvalidRequest
from maas.serving.datatypes import Array

Decode = Callable[[Sequence[int]], dict[str, Array]]


def stacked(places: Sequence[int], decode: Decode) -> tuple[list[int], dict[str, Array], dict[int, str]]:
    """The places that could be decoded, their arrays, and the error messages of the others.

    `decode` returns the arrays of the records at these places, or raises InvalidRequest if one is bad. Bisection finds
    it: a bad record costs a number of calls that is the logarithm of the number of records.
    """
    errors: dict[int, str] = {}
    found = _halved(places, decode, errors)
    good = [place for part, _ in found for place in part]
    if len(found) < 2:
        return good, found[0][1] if found else {}, errors
    names = found[0][1].keys()
    return good, {name: np.concatenate([arrays[name] for _, arrays in found]) for name in names}, errors


def _halved(
    places: Sequence[int], decode: Decode, errors: dict[int, str]
) -> list[tuple[Sequence[int], dict[str, Array]]]:
    if not places:
        return []
    try:
        return [(places, decode(places))]
    except InvalidRequest as error:
        if len(places) == 1:
            errors[places[0]] = error.message
            return []
    middle = len(places) // 2
    return _halved(places[:middle], decode, errors) + _halved(places[middle:], decode, errors)
