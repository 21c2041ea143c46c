"""Task `rerank`: how well each text answers a query, from a cross-encoder with one logit."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.tasks.numbers import sigmoid
from maas.tasks.options import Options
from maas.tasks.steps import QUERY, TEXT, TEXT_INPUT, TOKENS, Arrays, column
from maas.tasks.text_graph import Call, TextGraph
from maas.tasks.texts import Texts

SCORE = "score"


class Rerank:
    """Takes one query for all texts, or one for each."""

    inputs = (MetadataTensor(QUERY, "BYTES", (-1,)), TEXT_INPUT)
    outputs = (MetadataTensor(SCORE, "FP32", (-1,)),)
    labels = None

    def __init__(self, texts: Texts, graph: TextGraph, parameters: Mapping[str, Any]) -> None:
        self.texts, self._graph = texts, graph

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        raw, truncate = options.flag("raw_scores"), options.flag("truncate", True)
        most = options.whole("max_tokens_per_doc", None, 1 << 31)
        queries, texts = column(inputs, QUERY), column(inputs, TEXT)
        if len(queries) not in (1, len(texts)):
            expected = f"1, or one for each of {len(texts)} texts"
            raise InvalidRequest(f"query: got {len(queries)}, expected {expected}", field=QUERY)
        if len(queries) == 1:
            queries = queries * len(texts)
        pairs = self.texts.pairs(queries, texts, truncate=truncate, most=most)
        logits = np.empty(len(texts), np.float32)
        for group in self._graph.groups(pairs, call):
            logits[group.places] = group.output.reshape(len(group.places))
        scores = logits if raw else sigmoid(logits)
        return {SCORE: scores, TOKENS: np.array([len(one) for one in pairs], np.int64)}
