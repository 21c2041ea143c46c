"""Sizes for the variable dimensions of a model's inputs, in the order to try them: the cheapest first."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from maas.deployment.trial import formulas
from maas.records import MetadataTensor

Key = str | tuple[str, int]  # a dimension's symbol; its input and axis if it has none
Sizes = Mapping[Key, int]
Shapes = Mapping[str, Sequence[int]]

SMALLEST = (1, 2, 16)  # most models take 1; some need a second row, or room for a window
# Of images, windows of samples and sequences of tokens.
USUAL = (8, 28, 32, 48, 64, 77, 80, 96, 112, 128, 160, 192, 224, 256, 299, 320, 384, 416, 448, 480, 512, 576, 608, 640)
LARGE = (768, 800, 1024, 1280, 1600, 2048, 4096, 8000, 16000)
COMBINED = (1, 3, 16, 32, 64, 256, 640)
MOST_COMBINED = 4  # dimensions: 7 to the power of 4 combinations
EACH_UP_TO = 320
MOST_EACH = 10  # dimensions
ROOMY = 64  # for the dimensions that stay while another one is tried


class VariableDimensions:
    """The variable dimensions of `inputs`. Those of one symbol have one size; `a + b` has the sum of those of a and b.

    `keys` are all that take a size, `rows` those that are the first one of an input.
    """

    def __init__(self, inputs: Sequence[MetadataTensor], symbols: Mapping[str, Sequence[str | None]]) -> None:
        self._inputs, self._symbols = inputs, symbols
        variable = [self._key(tensor, axis) for tensor in inputs for axis, size in enumerate(tensor.shape) if size < 0]
        self.keys = list(dict.fromkeys(name for key in variable for name in _names(key)))
        first = {self._key(tensor, 0) for tensor in inputs if tensor.shape[:1] == (-1,)}
        self.rows = [key for key in self.keys if key in first]

    def shapes(self, sizes: Sizes) -> dict[str, tuple[int, ...]]:
        """The shape of each input with these sizes."""
        return {
            tensor.name: tuple(
                _size(self._key(tensor, axis), sizes) if size < 0 else size for axis, size in enumerate(tensor.shape)
            )
            for tensor in self._inputs
        }

    def with_rows(self, shapes: Shapes, rows: int) -> dict[str, tuple[int, ...]] | None:
        """The shapes with so many rows; None unless the first dimension of every input is variable."""
        if not self._inputs or any(tensor.shape[:1] != (-1,) for tensor in self._inputs):
            return None
        sizes = {
            self._key(tensor, axis): shapes[tensor.name][axis]
            for tensor in self._inputs
            for axis in range(len(tensor.shape))
        }
        return self.shapes(sizes | dict.fromkeys(self.rows, rows))

    def smallest(self) -> Iterator[Sizes]:
        """All dimensions of one size."""
        return (dict.fromkeys(self.keys, size) for size in SMALLEST)

    def usual(self) -> Iterator[Sizes]:
        """One row, and all other dimensions of one usual size."""
        return (self._rows_apart(size, 1) for size in USUAL)

    def combined(self) -> Iterator[Sizes]:
        """Each dimension with a size of its own, if they are few."""
        if len(self.keys) <= MOST_COMBINED:
            for sizes in sorted(itertools.product(COMBINED, repeat=len(self.keys)), key=math.prod):
                yield dict(zip(self.keys, sizes, strict=True))

    def specific(self, numbers: Iterable[int]) -> Iterator[Sizes]:
        """Sizes of `numbers` and all small ones: for all dimensions together, and for each while the others stay."""
        sizes = sorted({*numbers, *USUAL, *LARGE, *range(1, EACH_UP_TO + 1)})
        for size in sizes:
            yield self._rows_apart(size, 1)
            yield self._rows_apart(size, size)
        for base in (self._rows_apart(1, 1), self._rows_apart(ROOMY, 1), self._rows_apart(ROOMY, ROOMY)):
            for key in self.keys if len(self.keys) <= MOST_EACH else ():
                yield from ({**base, key: size} for size in sizes)

    def _rows_apart(self, size: int, rows: int) -> Sizes:
        return dict.fromkeys(self.keys, size) | dict.fromkeys(self.rows, rows)

    def _key(self, tensor: MetadataTensor, axis: int) -> Key:
        symbols = self._symbols.get(tensor.name, ())
        return (symbols[axis] if axis < len(symbols) else None) or (tensor.name, axis)


def _names(key: Key) -> Sequence[Key]:
    return formulas.names(key) if isinstance(key, str) else [key]


def _size(key: Key, sizes: Sizes) -> int:
    return formulas.value(key, sizes) if isinstance(key, str) else sizes[key]
