"""Reads JSON with many numbers straight into arrays, without a Python object for each number.

simdjson reads strictly what orjson reads, with the same values, but for the cases that this module leaves to orjson:
then the answer is None. The property test of this module holds both to one result.
"""

from collections.abc import Iterator
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from maas.serving.datatypes import Array

if TYPE_CHECKING:
    from simdjson import Array as JsonArray
    from simdjson import Parser


FEWEST_BYTES = 4096  # of text: orjson is faster below
FEWEST = 256  # numbers of an array that is worth it
PIECE_BYTES = 256 << 10  # of rows that are read together
_FAR_BYTES = 2000  # from bracket to bracket, so that each is worth a search
_MOST_PLACES = 64  # fields and objects that are looked at one by one
_FAILURES = (ValueError, TypeError, RuntimeError, KeyError)  # simdjson's, by kind of error


class _ForOrjson(Exception):
    """The text is one that only orjson reads as before."""


def read_document(text: bytes, field: str | None = None, fewest: int = FEWEST) -> Any | None:
    """The value of the JSON, with large rectangular arrays of numbers as NumPy reads them: int64 or float64.

    They are read so in fields of this name, at any depth; without a name, everywhere. None for text that is invalid,
    has no such array of at least `fewest` numbers or is to be read in another way.
    """
    if b"\\" in text or text.startswith(b"\xef"):  # escapes and byte order marks are treated differently
        return None
    try:
        walk = _Walk(field, fewest)
        value = walk.value(_parsed(text), field is None)
    except (*_FAILURES, _ForOrjson):
        return None
    # Each bracket opens an array that was looked at: no array hides among numbers, where simdjson would flatten it.
    return value if walk.has_numbers and _opens(text, walk.arrays) else None


def read_numbers(text: bytes) -> Array | None:
    """The numbers of a flat JSON array, as `read_document` reads them; None for any other text. `text` has no quote."""
    if not _opens(text, 1):
        return None
    try:
        return _flat(_parsed(text))
    except _FAILURES:
        return None


def read_rows(text: bytes, between: bytes, rows: int, width: int) -> Array | None:
    """The numbers of rows as JSON has them between brackets, (rows, width), as `read_document` reads them; `between`
    stands between two rows. None for any other text.

    Read in pieces, with one parser: its memory, of ten times the text, stays in the CPU's cache. At once, 4,096 rows of
    64 numbers take twice as long.
    """
    from simdjson import Parser

    found: list[Array] = []
    parser, start = Parser(), 0
    try:
        while start <= len(text):
            end = text.find(between, start + PIECE_BYTES)
            end = len(text) if end < 0 else end
            found.append(_rows(parser, text[start:end].replace(between, b"],["), width))
            start = end + len(between)
    except _FAILURES:
        return None
    array = found[0] if len(found) == 1 else np.concatenate(found)
    return array if len(array) == rows else None


def _rows(parser: "Parser", text: bytes, width: int) -> Array:
    """Raises for other values, for rows of another width and for arrays within a row."""
    encoded = b"[[%b]]" % text
    found: Any = parser.parse(encoded)
    if set(map(len, found)) != {width} or _brackets(encoded) != len(found) + 1:
        raise ValueError
    return _flat(found).reshape(-1, width)


def _opens(text: bytes, arrays: int) -> bool:
    """Whether so many arrays begin in the text. A few brackets are found faster than they are counted."""
    if arrays * _FAR_BYTES > len(text):
        return _brackets(text) == arrays
    position = -1
    for _ in range(arrays):
        position = text.find(b"[", position + 1)
        if position < 0:
            return False
    return text.find(b"[", position + 1) < 0


def _brackets(text: bytes) -> int:
    """The number of `[`; in text with few of them, NumPy counts three times as fast as bytes.count."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("[")))


def _parsed(text: bytes) -> Any:
    """A parser for each text: kept ones would hold memory of ten times the largest text, in each thread."""
    from simdjson import Parser

    return Parser().parse(text)


class _Walk:
    def __init__(self, field: str | None, fewest: int) -> None:
        self._field, self._fewest = field, fewest
        self.arrays = 0
        self.has_numbers = False

    def value(self, found: Any, is_tensor: bool) -> Any:
        """Raises _ForOrjson, and what simdjson raises."""
        from simdjson import Array as JsonArray
        from simdjson import Object

        if isinstance(found, Object):
            return self._object(found, is_tensor)
        if not isinstance(found, JsonArray):
            return found
        self.arrays += 1
        if not len(found):
            return []
        if is_tensor and isinstance(found[0], int | float | JsonArray):
            return self._numbers(found)
        if len(found) > _MOST_PLACES:
            raise _ForOrjson
        return [self.value(one, is_tensor) for one in found]

    def _object(self, found: Any, is_tensor: bool) -> dict[str, Any]:
        names = list(found) if len(found) <= _MOST_PLACES else []
        if len(set(names)) != len(found):  # of a name given twice, orjson takes the last value
            raise _ForOrjson
        return {name: self.value(found[name], is_tensor or name == self._field) for name in names}

    def _numbers(self, found: "JsonArray") -> Any:
        shape, level = [len(found)], [found]
        while not isinstance(first := level[0][0], int | float):
            shape.append(len(first))
            level = list(self._rows(level, shape[-1]))
        if prod(shape) < self._fewest:
            if len(shape) > 1:
                raise _ForOrjson
            return found.as_list()
        array = _flat(found)
        if array.size != prod(shape):
            raise _ForOrjson
        self.has_numbers = True
        return array.reshape(shape)

    def _rows(self, level: list["JsonArray"], length: int) -> Iterator["JsonArray"]:
        """The arrays in these arrays. Raises _ForOrjson for other values, and for none or another length."""
        from simdjson import Array as JsonArray

        for row in chain.from_iterable(level):
            if not isinstance(row, JsonArray) or len(row) != length or not length:
                raise _ForOrjson
            self.arrays += 1
            yield row


def _flat(found: Any) -> Array:
    """All numbers, int64 if all are integers. Raises for other values, TypeError or, beyond int64, ValueError."""
    try:
        return np.frombuffer(found.as_buffer(of_type="i"), np.int64)
    except TypeError:
        return np.frombuffer(found.as_buffer(of_type="d"), np.float64)
