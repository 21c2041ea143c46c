"""Runs seeds through the fault harness; holds the inputs of its jobs.

`python -m support.batch.seeds FIRST END` runs the seeds [FIRST, END) and prints the faults met as one line of JSON.
"""

import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random

import numpy as np
from arro3.core import Array, Table
from arro3.io import write_parquet

from support import onnx_models
from support.aws.engine import CREDENTIALS
from support.batch import fault_harness
from support.batch.fault_harness import Harness, Input, Outcome, is_right


def jsonl(rows: int) -> bytes:
    random = Random(1)
    made: list[object] = [{"x": [random.randrange(9) for _ in range(3)], "row": row} for row in range(rows)]
    made[5], made[rows // 2] = {"x": [1, 2]}, "no record"
    return "\n".join(json.dumps(one) for one in made).encode()


def csv(rows: int) -> bytes:
    random = Random(1)
    lines = [",".join(str(random.randrange(9)) for _ in range(3)) for _ in range(rows)]
    lines[5], lines[rows // 2] = "1,2", "1,two,3"
    return "\n".join(["a,b,c", *lines]).encode()


def npy(rows: int) -> bytes:
    content = io.BytesIO()
    np.save(content, np.random.default_rng(1).random((rows, 3), np.float32))
    return content.getvalue()


def parquet(rows: int) -> bytes:
    random = np.random.default_rng(1)
    table = Table.from_pydict({name: Array.from_numpy(random.random(rows, np.float32)) for name in "abc"})
    content = io.BytesIO()
    write_parquet(table, content, max_row_group_size=40)
    return content.getvalue()


# Integers give the same bytes in any batch, so such a job may be split anywhere.
INPUTS = {
    "rows.jsonl": Input(jsonl(60), rows_at_once=4),
    "rows.csv": Input(csv(250), rows_at_once=16),
    "rows.npy": Input(npy(140)),
    "rows.parquet": Input(parquet(130)),
}
EXPECTED = {"rows.jsonl": (60, 2), "rows.csv": (250, 2), "rows.npy": (140, 0), "rows.parquet": (130, 0)}  # rows, errors


def without_faults(harness: Harness) -> dict[str, Outcome]:
    return {name: harness.run(name, given, None) for name, given in INPUTS.items()}


def check(harness: Harness, expected: dict[str, Outcome], seed: int) -> Counter[str]:
    """The faults met. Raises AssertionError if the result differs from the one without faults."""
    name = list(INPUTS)[seed % len(INPUTS)]
    outcome = harness.run(name, INPUTS[name], seed)
    is_right(outcome, expected[name])
    split = len(outcome.parts) - len(expected[name].parts)
    return outcome.met + Counter({"seeds": 1, "parts that splits added": split})


def run(seeds: Iterable[int]) -> Counter[str]:
    """Raises AssertionError with the seed in a note."""
    met: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        fault_harness.harness(Path(folder), onnx_models.linear()) as harness,
    ):
        expected = without_faults(harness)
        for seed in seeds:
            try:
                met += check(harness, expected, seed)
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise
    return met


if __name__ == "__main__":
    os.environ.update(CREDENTIALS)
    print(json.dumps(run(range(int(sys.argv[1]), int(sys.argv[2])))))
