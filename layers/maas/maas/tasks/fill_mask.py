"""Task `fill-mask`: the most likely tokens in place of a mask."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.strings import array_of
from maas.tasks.numbers import softmax
from maas.tasks.options import Options
from maas.tasks.steps import TEXT, TEXT_INPUT, TOKENS, Arrays, column
from maas.tasks.text_graph import Call, TextGraph
from maas.tasks.texts import Texts

TOKEN, SCORE, SEQUENCE = "token", "score", "sequence"
TOP_K, MOST = 5, 100


class FillMask:
    """Each text has exactly one mask; its outputs are (texts, top_k), the likeliest first."""

    inputs = (TEXT_INPUT,)
    outputs = (
        MetadataTensor(TOKEN, "BYTES", (-1, -1)),
        MetadataTensor(SCORE, "FP32", (-1, -1)),
        MetadataTensor(SEQUENCE, "BYTES", (-1, -1)),
    )
    labels = None

    def __init__(self, texts: Texts, graph: TextGraph, parameters: Mapping[str, Any]) -> None:
        self.texts, self._graph = texts, graph
        self._mask_token: str = parameters["mask_token"]
        self._mask_id: int = parameters["mask_id"]

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        wanted = options.whole("top_k", TOP_K, MOST)
        encodings = self.texts.encode(column(inputs, TEXT), truncate=options.flag("truncate"))
        masks = [self._place(index, encoding.ids) for index, encoding in enumerate(encodings)]
        best: list[Any] = [None] * len(encodings)
        for group in self._graph.groups(encodings, call):
            for row, place in enumerate(group.places):
                scores = softmax(group.output[row, masks[place]])
                ids = np.argsort(-scores, kind="stable")[:wanted]
                best[place] = (ids, scores[ids])
        tokens = [self.texts.decode([token], special=True) for ids, _ in best for token in ids.tolist()]
        filled = [
            self.texts.decode([*encoding.ids[:place], token, *encoding.ids[place + 1 :]])
            for encoding, place, (ids, _) in zip(encodings, masks, best, strict=True)
            for token in ids.tolist()
        ]
        scores = np.stack([scores for _, scores in best]).astype(np.float32)
        return {
            TOKEN: array_of(tokens).reshape(scores.shape),
            SCORE: scores,
            SEQUENCE: array_of(filled).reshape(scores.shape),
            TOKENS: np.array([len(one) for one in encodings], np.int64),
        }

    def _place(self, index: int, ids: list[int]) -> int:
        if ids.count(self._mask_id) != 1:
            came = f"{ids.count(self._mask_id)} times {self._mask_token}"
            raise InvalidRequest(f"text {index}: got {came}, expected exactly one to fill", field=TEXT)
        return ids.index(self._mask_id)
