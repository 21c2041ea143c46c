"""Whatever dies, fails, comes twice or late: the result of a batch job is the one without any of it, byte for byte."""

from collections.abc import Iterator

import batch_faults
import batch_seeds
import onnx_models
import pytest
from batch_faults import Harness, Outcome, is_right

SEEDS = 50


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with batch_faults.harness(tmp_path_factory.mktemp("maas"), onnx_models.linear()) as made:
        yield made


@pytest.fixture(scope="module")
def expected(harness: Harness) -> dict[str, Outcome]:
    return batch_seeds.without_faults(harness)


def test_without_faults(expected: dict[str, Outcome]) -> None:
    assert {name: outcome.summary for name, outcome in expected.items()} == batch_seeds.EXPECTED
    for outcome in expected.values():
        is_right(outcome, outcome)
        assert outcome.told == ["PLANNING", "RUNNING", "SUCCEEDED"]
        assert len(outcome.manifest["parts"]) > 2


@pytest.mark.parametrize("seed", range(SEEDS))
def test_faults(harness: Harness, expected: dict[str, Outcome], seed: int) -> None:
    assert batch_seeds.check(harness, expected, seed)["seeds"] == 1
