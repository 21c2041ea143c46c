"""The order in which generated inputs are tried: usual sizes first, then those that the graph suggests."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from maas.deployment.trial.categories import category_fills
from maas.deployment.trial.dimensions import Sizes, VariableDimensions
from maas.deployment.trial.fills import Fill, Trial, fills
from maas.deployment.trial.graph_numbers import graph_numbers
from maas.records import MetadataTensor

MOST_ELEMENTS = 1 << 22  # of all inputs of one trial
MOST_TRIALS = 6000


def trials(
    path: Path, inputs: Sequence[MetadataTensor], symbols: Mapping[str, Sequence[str | None]]
) -> Iterator[Trial]:
    """Trials for the required `inputs` of the model at `path`, no two alike."""
    dimensions = VariableDimensions(inputs, symbols)
    typical, *others = fills(inputs)
    tried: set[tuple[object, ...]] = set()
    least = Trial(dimensions.shapes(dict.fromkeys(dimensions.keys, 1)), typical).elements  # fixed sizes may be large

    def new(sizes: Iterable[Sizes], values: Iterable[Mapping[str, Fill]]) -> Iterator[Trial]:
        for shapes, fill in itertools.product(map(dimensions.shapes, sizes), values):
            trial, key = Trial(shapes, fill), (*shapes.values(), *fill.values())
            if key not in tried and trial.elements <= max(MOST_ELEMENTS, least):
                tried.add(key)
                yield trial

    yield from new(dimensions.smallest(), [typical])
    yield from new(dimensions.smallest(), others)
    typical |= category_fills(path, inputs)
    yield from new(dimensions.smallest(), [typical])
    yield from new(dimensions.usual(), [typical])
    yield from new(dimensions.combined(), [typical])
    yield from new(dimensions.usual(), others[:2])
    specific = sorted(new(dimensions.specific(graph_numbers(path)), [typical]), key=lambda trial: trial.elements)
    yield from itertools.islice(itertools.chain(specific, new(dimensions.combined(), others[:2])), MOST_TRIALS)
