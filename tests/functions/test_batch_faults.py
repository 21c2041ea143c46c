"""Whatever dies, fails, comes twice or late: the result of a batch job is the one without any of it, byte for byte."""

import io
import json
from collections.abc import Iterator
from random import Random

import batch_faults
import numpy as np
import onnx_models
import pytest
from batch_faults import Harness, is_right

SEEDS = 50


def jsonl(rows: int) -> bytes:
    random = Random(1)
    made: list[object] = [{"x": [random.randrange(9) for _ in range(3)], "row": row} for row in range(rows)]
    made[5], made[rows // 2] = {"x": [1, 2]}, "no record"
    return "\n".join(json.dumps(one) for one in made).encode()


def npy(rows: int) -> bytes:
    content = io.BytesIO()
    np.save(content, np.random.default_rng(1).random((rows, 3), np.float32))
    return content.getvalue()


INPUTS = {"rows.jsonl": jsonl(60), "rows.npy": npy(140)}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with batch_faults.harness(tmp_path_factory.mktemp("maas"), onnx_models.linear()) as made:
        yield made


@pytest.fixture(scope="module")
def expected(harness: Harness) -> dict[str, batch_faults.Outcome]:
    return {name: harness.run(name, content, None) for name, content in INPUTS.items()}


def test_without_faults(expected: dict[str, batch_faults.Outcome]) -> None:
    assert {name: outcome.summary for name, outcome in expected.items()} == {
        "rows.jsonl": (60, 2),
        "rows.npy": (140, 0),
    }
    for outcome in expected.values():
        is_right(outcome, outcome)
        assert outcome.told == ["PLANNING", "RUNNING", "SUCCEEDED"]
        assert len(outcome.manifest["parts"]) > 2


@pytest.mark.parametrize("seed", range(SEEDS))
def test_faults(harness: Harness, expected: dict[str, batch_faults.Outcome], seed: int) -> None:
    name = "rows.jsonl" if seed % 3 else "rows.npy"
    is_right(harness.run(name, INPUTS[name], seed, splits=name.endswith("jsonl")), expected[name])
