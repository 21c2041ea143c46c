"""Triton's classification extension."""

import numpy as np
import pytest

from maas.errors import InvalidRequest
from maas.serving.classification import classified


def best(scores: np.ndarray, count: int, labels: list[str] | None = None) -> object:
    return classified("y", "FP32", scores, count, labels).tolist()


def test_best_classes_first_with_labels() -> None:
    scores = np.array([[0.5, 2, 1]], np.float32)
    assert best(scores, 2) == [["2.000000:1", "1.000000:2"]]
    assert best(scores, 9, ["cat", "dog"]) == [["2.000000:1:dog", "1.000000:2", "0.500000:0:cat"]]


def test_ties_keep_order_and_nan_is_last() -> None:
    assert best(np.array([1, np.nan, 1], np.float32), 3) == ["1.000000:0", "1.000000:2", "nan:1"]


def test_integer_scores_are_exact() -> None:
    assert best(np.array([2**53, 2**53 + 1, -(2**63)]), 3) == [f"{2**53 + 1}:1", f"{2**53}:0", f"{-(2**63)}:2"]
    assert best(np.array([0, 2**64 - 1], np.uint64), 1) == [f"{2**64 - 1}:1"]


def test_no_rows_or_no_classes() -> None:
    assert classified("y", "FP32", np.empty((0, 3)), 2, None).shape == (0, 2)
    assert classified("y", "FP32", np.empty((2, 0)), 2, None).shape == (2, 0)


@pytest.mark.parametrize(("datatype", "scores"), [("BYTES", np.array(["a"], object)), ("FP32", np.array(1.0))])
def test_output_without_scores_is_refused(datatype: str, scores: np.ndarray) -> None:
    with pytest.raises(InvalidRequest, match="expected numbers"):
        classified("y", datatype, scores, 1, None)
