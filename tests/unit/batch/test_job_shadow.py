"""How the outputs of a job's shadow differ from those of its version, record by record."""

import math

import numpy as np
import pytest

from maas.batch.formats import Chunk
from maas.batch.predicting import Predicted
from maas.batch.shadowing import differing
from maas.records.samples import Shadow

VALUES, TOP1 = Shadow(2, 100), Shadow(2, 100, "top1")
NAN, A = float("nan"), np.asarray


def ragged(*records: list[float]) -> np.ndarray:
    found = np.empty(len(records), object)
    for index, one in enumerate(records):
        found[index] = A(one, np.float32)
    return found


@pytest.mark.parametrize(
    ("came", "answered", "shadow", "expected"),
    [
        (A([[1.0, 2], [3, 4]]), A([[1.0, 2], [3, 4.5]]), VALUES, (1, 0.5)),
        (A([[1.0, NAN], [3, 4]]), A([[1.0, NAN], [3, 4]]), VALUES, (0, 0.0)),
        (A([1.0, NAN, 3]), A([1.0, 2, 3.000001]), VALUES, (1, math.inf)),
        (A([[1.0, 2], [3, 4]]), A([[0.0, 9], [9, 4]]), TOP1, (1, 7.0)),
        (A([1.0, 5.0]), A([5.0, 1.0]), TOP1, (2, 4.0)),  # a value a record has no largest place
        (A([[1.0, 2], [3, 4]]), A([[1.0], [3]]), VALUES, (2, math.inf)),
        (A([1, 2, 3]), A([1, 9, 3]), TOP1, (1, 7.0)),
        (A([1, 2]), A([1.0, 2.0]), VALUES, (2, math.inf)),
        (A(["a", "b"], object), A(["a", "c"], object), VALUES, (1, math.inf)),
        (A(["a", "b"], object), A(["a", "b"], object), TOP1, (0, 0.0)),
        (A([["a", "b"], ["c", "d"]], object), A([["a", "b"], ["c", "e"]], object), VALUES, (1, math.inf)),
        (ragged([1, 2], [3]), ragged([1, 2], [4]), VALUES, (1, 1.0)),
        (ragged([1, 2], [3]), A([[1, 2], [3, 4]], np.float32), VALUES, (1, math.inf)),
        (A([True, False]), A([True, True]), VALUES, (1, math.inf)),
        (A([[1.0, 2]]), A([[5.0, 6]]), Shadow(2, 100, "none"), (0, 0.0)),
    ],
)
def test_records_that_differ(
    came: np.ndarray, answered: np.ndarray, shadow: Shadow, expected: tuple[int, float]
) -> None:
    chunk = Chunk(0, len(answered), range(len(answered)), {}, {})
    assert differing(chunk, ({"y": came}, {}), ({"y": answered}, {}), shadow) == expected


def test_only_records_that_both_answered() -> None:
    came: Predicted = {"y": A([1.0, 3.0])}, {2: "bad", 1: "refused"}
    answered: Predicted = {"y": A([1.0, 2.0])}, {2: "bad", 3: "failed"}
    chunk = Chunk(0, 4, [0, 1, 3], {}, {2: "bad"})
    assert differing(chunk, came, answered, VALUES) == (0, 0.0)


def test_a_whole_request_is_one_record() -> None:
    chunk = Chunk(0, 1, [0], {}, {}, whole=True)
    assert differing(chunk, ({"y": A([1.0, 3.0])}, {}), ({"y": A([2.0, 5.0])}, {}), VALUES) == (1, 2.0)
