"""Task `token-classification`: spans of a text with their class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import orjson

from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.strings import array_of
from maas.tasks.numbers import softmax
from maas.tasks.options import Options
from maas.tasks.steps import TEXT, TEXT_INPUT, TOKENS, Arrays, column
from maas.tasks.text_graph import Call, TextGraph
from maas.tasks.texts import Texts

ENTITIES = "entities"
STRATEGIES = ("simple", "none", "first", "average", "max")
OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class _Part:
    """A token or a word: its class, with that class's score, and its place in the text, in characters."""

    label: str
    score: float
    start: int
    end: int
    index: int


class TokenClassification:
    """`entities` has a JSON array for each text: `{entity_group, score, word, start, end}` in the text's order.

    The strategies are those of the transformers library. `none` gives tokens as `{entity, score, index, word, …}`.
    """

    inputs = (TEXT_INPUT,)
    outputs = (MetadataTensor(ENTITIES, "BYTES", (-1,)),)

    def __init__(self, texts: Texts, graph: TextGraph, parameters: Mapping[str, Any]) -> None:
        self.texts, self._graph = texts, graph
        self.labels: tuple[str, ...] = tuple(parameters["labels"])

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        strategy = options.text("aggregation_strategy", STRATEGIES[0], STRATEGIES)
        texts = column(inputs, TEXT)
        encodings = self.texts.encode(texts, truncate=options.flag("truncate"))
        found: list[Any] = [None] * len(texts)
        for group in self._graph.groups(encodings, call):
            for row, place in enumerate(group.places):
                scores = softmax(group.output[row])
                spans = self._spans(texts[place], encodings[place], scores, strategy)
                found[place] = orjson.dumps(spans, option=orjson.OPT_SERIALIZE_NUMPY).decode()
        return {ENTITIES: array_of(found), TOKENS: np.array([len(one) for one in encodings], np.int64)}

    def _spans(self, text: str, encoding: Any, scores: Array, strategy: str) -> list[dict[str, Any]]:
        parts = list(self._parts(encoding, scores, strategy))
        if strategy == "none":
            return [
                {"entity": one.label, "score": one.score, "index": one.index} | _place(text, one.start, one.end)
                for one in parts
                if one.label != OUTSIDE
            ]
        spans = []
        for group in _grouped(parts):
            label = _tag(group[0].label)[1]
            if group[0].label != OUTSIDE:
                score = float(np.mean([one.score for one in group]))
                place = _place(text, group[0].start, group[-1].end)
                spans.append({"entity_group": label, "score": score} | place)
        return spans

    def _parts(self, encoding: Any, scores: Array, strategy: str) -> Iterator[_Part]:
        """Tokens, or for the strategies by word its tokens as one part."""
        is_by_word = strategy in STRATEGIES[2:]
        words, offsets = encoding.word_ids, encoding.offsets
        tokens = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
        for _, members in groupby(tokens, key=words.__getitem__ if is_by_word else lambda index: index):
            places = list(members)
            best = _of_word(scores[places], strategy)
            label = int(best.argmax())
            yield _Part(
                self.labels[label], float(best[label]), offsets[places[0]][0], offsets[places[-1]][1], places[0]
            )


def _of_word(scores: Array, strategy: str) -> Array:
    """The scores by class of a word, from those of its tokens, (tokens, classes)."""
    if strategy == "average":
        return scores.mean(axis=0)  # type: ignore[no-any-return]
    if strategy == "max":
        return scores[scores.max(axis=1).argmax()]  # type: ignore[no-any-return]
    return scores[0]  # type: ignore[no-any-return]


def _grouped(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Neighbours of one class; a part tagged `B-` begins a new group."""
    group: list[_Part] = []
    for part in parts:
        begins, label = _tag(part.label)
        if group and (begins or label != _tag(group[-1].label)[1]):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _tag(label: str) -> tuple[bool, str]:
    """Whether it begins an entity, and the class without its B- or I-."""
    if label.startswith(("B-", "I-")):
        return label.startswith("B-"), label[2:]
    return False, label


def _place(text: str, start: int, end: int) -> dict[str, Any]:
    return {"word": text[start:end], "start": start, "end": end}
