"""Truncated and damaged files of Parquet."""

import signal
import subprocess
import sys
from random import Random

import pytest

from maas.batch import formats
from maas.errors import InvalidRequest
from support.aws.engine import ROOT
from support.batch.files import Cut, MemorySource, chunks, records
from support.batch.parquet_tables import NAMED, of_rows


def test_truncated_parquet_is_refused() -> None:
    data = of_rows([{"a": 1.0, "n": 2, "word": "w", "pair": [1.0, 2.0], "many": [], "id": 0}] * 50).data
    for bad in (
        b"",
        b"PAR1",
        b"no parquet at all",
        data[:-1],
        data[:-100],
        data[: len(data) // 2],
        data[200:],
        data[:-4] + b"PARE",
    ):
        with pytest.raises(InvalidRequest, match=r"input: got .*, expected"):
            formats.plan("parquet", MemorySource(bad), 1000)


DAMAGE = 60


@pytest.mark.full
def test_damaged_parquet_is_refused_or_read() -> None:
    """Runs in a child process, which arro3 can end on damaged data (ADR 8)."""
    script = "import sys; from unit.batch import test_parquet_damage as one; one.read_damaged(int(sys.argv[1]))"
    outcomes: list[str] = []
    while len(outcomes) < DAMAGE:
        command = [sys.executable, "-c", script, str(len(outcomes))]
        done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True)
        outcomes += done.stdout.split()
        if done.returncode:
            assert done.returncode == -signal.SIGABRT, done.stderr
            outcomes.append("aborted")
    assert 10 < outcomes.count("refused") < DAMAGE
    assert outcomes.count("aborted") <= 3
    assert set(outcomes) <= {"read", "refused", "aborted"}


def read_damaged(first: int) -> None:
    """Print the outcome of each file from the `first` on."""
    rows = [{"a": 1.0, "n": place, "word": "w", "pair": [1.0, 2.0], "many": [], "id": 0} for place in range(20)]
    whole = of_rows(rows, max_row_group_size=7).data
    for seed in range(first, DAMAGE):
        random, body = Random(seed), bytearray(whole)
        for _ in range(random.randint(1, 4)):
            body[random.randrange(len(body))] = random.randrange(256)
        try:
            found = records(chunks("parquet", MemorySource(bytes(body)), NAMED, Cut(500, batch_rows=5)))
            print("read" if len(found) == 20 else "wrong", flush=True)
        except InvalidRequest:
            print("refused", flush=True)
