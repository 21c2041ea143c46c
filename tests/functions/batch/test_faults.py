"""Faults do not change the result of a batch job by a byte."""

from collections import Counter
from collections.abc import Iterator

import pytest

from support import onnx_models
from support.batch import fault_harness, faults, seeds
from support.batch.fault_harness import Harness, Outcome, is_right

SEEDS = 30


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with fault_harness.harness(tmp_path_factory.mktemp("maas"), onnx_models.linear()) as made:
        yield made


@pytest.fixture(scope="module")
def expected(harness: Harness) -> dict[str, Outcome]:
    return seeds.without_faults(harness)


def test_without_faults(expected: dict[str, Outcome]) -> None:
    assert {name: outcome.summary for name, outcome in expected.items()} == seeds.EXPECTED
    for outcome in expected.values():
        is_right(outcome, outcome)
        assert outcome.told == ["PLANNING", "RUNNING", "SUCCEEDED"]
        assert len(outcome.manifest["parts"]) > 2


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_faults(harness: Harness, expected: dict[str, Outcome], seed: int) -> None:
    assert seeds.check(harness, expected, seed)["seeds"] == 1


@pytest.mark.full
def test_each_kind_of_fault_happens(harness: Harness, expected: dict[str, Outcome]) -> None:
    met: Counter[str] = Counter()
    for seed in range(SEEDS, SEEDS + 4):
        met += seeds.check(harness, expected, seed)
    assert met.keys() > faults.KINDS
