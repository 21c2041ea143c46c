"""Outputs of a version beside those of another."""

import math

import numpy as np
import pytest

from maas.records.samples import NOTHING, TOP1, VALUES, Shadow
from maas.serving.comparison import compared

F = np.float32
CASES = [
    ([[1.0, 2.0]], [[1.0, 2.001]], True, True, 0.001),
    ([[1.0, 2.0]], [[1.0, 2.1]], False, True, 0.1),
    ([[1.0, 2.0]], [[2.1, 2.0]], False, False, 1.1),
    ([[1.0, math.nan]], [[1.0, math.nan]], True, True, 0.0),
    ([[1.0, math.nan]], [[1.0, 2.0]], False, True, math.inf),
    ([[1.0, math.inf]], [[1.0, math.inf]], True, True, 0.0),
    ([], [], True, True, 0.0),
]


@pytest.mark.parametrize(("came", "wanted", "values", "top1", "difference"), CASES)
def test_fractions(came: list[float], wanted: list[float], values: bool, top1: bool, difference: float) -> None:
    for compare, is_same in ((VALUES, values), (TOP1, top1)):
        found = compared({"y": np.array(came, F)}, {"y": np.array(wanted, F)}, Shadow(1, 1, compare, 1e-3, 1e-5))
        assert found.is_same is is_same
        assert found.difference == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("compare", [VALUES, TOP1])
def test_other_kinds_are_equal_or_not(compare: str) -> None:
    texts = np.array(["a", "b"], object)
    whole = np.array([1, 2], np.int64)
    shadow = Shadow(1, 1, compare)
    assert compared({"t": texts, "n": whole}, {"t": texts.copy(), "n": whole.copy()}, shadow) == (True, 0.0)
    assert compared({"n": whole}, {"n": np.array([1, 5], np.int64)}, shadow) == (False, 3.0)
    assert compared({"t": texts}, {"t": np.array(["a", "c"], object)}, shadow) == (False, math.inf)


@pytest.mark.parametrize("compare", [VALUES, TOP1])
def test_what_has_no_counterpart_differs(compare: str) -> None:
    wanted = {"y": np.ones((2, 3), F)}
    for came in ({}, {"y": np.ones((3, 2), F)}, {"y": np.ones((2, 3), np.float64)}):
        assert compared(came, wanted, Shadow(1, 1, compare)) == (False, math.inf)


def test_nothing_is_compared() -> None:
    assert compared({}, {"y": np.ones(2, F)}, Shadow(1, 1, NOTHING)) == (True, 0.0)
