"""Tasks `text-classification` and `zero-shot-classification`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.strings import array_of
from maas.tasks.class_scores import LABEL, SCORE, ClassScores
from maas.tasks.limits import TextTooLong
from maas.tasks.numbers import softmax
from maas.tasks.options import Options
from maas.tasks.steps import TEXT, TEXT_INPUT, TOKENS, Arrays, column
from maas.tasks.text_graph import Call, TextGraph
from maas.tasks.texts import Texts

HYPOTHESIS = "This example is {}."
MAX_LABELS = 100


class TextClassification:
    inputs = (TEXT_INPUT,)

    def __init__(self, texts: Texts, graph: TextGraph, parameters: Mapping[str, Any]) -> None:
        self.texts, self._graph = texts, graph
        self._classes = ClassScores(parameters["labels"], parameters["multi_label"])
        self.outputs, self.labels = self._classes.outputs, self._classes.labels

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        raw = options.flag("raw_scores")
        encodings = self.texts.encode(column(inputs, TEXT), truncate=options.flag("truncate"))
        logits = np.empty((len(encodings), len(self.labels)), np.float32)
        for group in self._graph.groups(encodings, call):
            logits[group.places] = group.output
        return {**self._classes.of(logits, raw=raw), TOKENS: np.array([len(one) for one in encodings], np.int64)}


class ZeroShotClassification:
    """Reads each text with one hypothesis for each of the caller's labels; `entailment` is a class of the graph."""

    inputs = (TEXT_INPUT,)
    outputs = (MetadataTensor(LABEL, "BYTES", (-1, -1)), MetadataTensor(SCORE, "FP32", (-1, -1)))
    labels = None

    def __init__(self, texts: Texts, graph: TextGraph, parameters: Mapping[str, Any]) -> None:
        self.texts, self._graph = texts, graph
        self._entailment: int = parameters["entailment"]
        self._contradiction: int = parameters["contradiction"]

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        """The labels of each text, the best first, with their scores. The premise is the text, which may be cut."""
        labels, multi = options.texts("candidate_labels"), options.flag("multi_label")
        if not 1 <= len(labels) <= MAX_LABELS:
            raise InvalidRequest(
                f"parameters.candidate_labels: got {len(labels)}, expected 1 to {MAX_LABELS} labels to choose from",
                field="parameters.candidate_labels",
            )
        template = options.text("hypothesis_template", HYPOTHESIS)
        if "{}" not in template:
            raise InvalidRequest(
                f"parameters.hypothesis_template: got {template!r:.80}, expected text with {{}} for the label",
                field="parameters.hypothesis_template",
            )
        texts, truncate = column(inputs, TEXT), options.flag("truncate")
        hypotheses = [template.replace("{}", label) for label in labels]
        logits, tokens = np.empty((len(texts), len(labels), 2), np.float32), np.empty(len(texts), np.int64)
        for index, text in enumerate(texts):
            try:
                pairs = self.texts.hypotheses(text, hypotheses, truncate=truncate)
            except TextTooLong as error:
                raise error.moved(index) from None
            logits[index], tokens[index] = self._logits(pairs, call), sum(map(len, pairs))
        entails = multi or len(labels) == 1
        scores = softmax(logits)[:, :, 1] if entails else softmax(logits[:, :, 1])
        order = np.argsort(-scores, axis=1, kind="stable")
        named = array_of([labels[index] for index in order.ravel()]).reshape(order.shape)
        return {LABEL: named, SCORE: np.take_along_axis(scores, order, axis=1), TOKENS: tokens}

    def _logits(self, pairs: list[Any], call: Call) -> Array:
        """Of contradiction and entailment, (pairs, 2)."""
        found = np.empty((len(pairs), 2), np.float32)
        for group in self._graph.groups(pairs, call):
            found[group.places] = group.output[:, [self._contradiction, self._entailment]]
        return found
