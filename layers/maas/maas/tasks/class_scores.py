"""From logits to scores by class, for texts and images alike."""

from collections.abc import Mapping, Sequence

import numpy as np

from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.strings import array_of
from maas.tasks.numbers import sigmoid, softmax

LABEL, SCORE, SCORES = "label", "score", "scores"


class ClassScores:
    """`multi_label`: each class has a score of its own (sigmoid); otherwise they add up to 1 (softmax)."""

    def __init__(self, labels: Sequence[str], multi_label: bool = False) -> None:
        self.labels = tuple(labels)
        self.outputs = (
            MetadataTensor(LABEL, "BYTES", (-1,)),
            MetadataTensor(SCORE, "FP32", (-1,)),
            MetadataTensor(SCORES, "FP32", (-1, len(self.labels))),
        )
        self._activation = sigmoid if multi_label else softmax

    def of(self, logits: Array, *, raw: bool = False) -> Mapping[str, Array]:
        """The best class of each row, its score, and the scores of all. `raw` gives logits as scores."""
        scores = logits if raw else self._activation(logits)
        best = scores.argmax(axis=1)
        return {
            LABEL: array_of([self.labels[index] for index in best]),
            SCORE: scores[np.arange(len(scores)), best],
            SCORES: scores,
        }
