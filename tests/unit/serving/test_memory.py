"""Runs that need more memory than their process may take: they fail alone, and memory comes back."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import onnx_models

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from maas import heap
from maas.errors import RunFailed
from maas.serving import memory
from maas.serving.runner import Runner

def kilobytes(name):
    return int(Path("/proc/self/status").read_text().partition(name + ":")[2].split()[0])

memory.limit_models(512 << 20)
if sys.argv[2] != "unlimited":
    memory.limit_process(512 << 20)
if sys.argv[2] == "kept":
    heap.keep_freed()
runner = Runner(Path(sys.argv[1]), 1)
before = kilobytes("VmRSS")
for count in map(int, sys.argv[3:]):
    if sys.argv[2] == "kept":  # what a request leaves
        blocks = [b"x" * (3 << 20) for _ in range(20)]
        del blocks
    try:
        print(runner.run({"count": np.array([count])})[0], end=" ")
    except RunFailed as error:
        print("refused" if "more memory than this function has" in error.message else error.message, end=" ")
print((kilobytes("VmHWM") - before) >> 10, (kilobytes("VmRSS") - before) >> 10)
"""


def run(tmp_path: Path, limited: str, *counts: int) -> tuple[list[str], int, int]:
    """What came of runs with these counts; MB at the peak, and afterwards, beyond those before them."""
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.nonzero())
    arguments = [sys.executable, "-c", SCRIPT, str(path), limited, *map(str, counts)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    *came, peak, after = done.stdout.split()
    return came, int(peak), int(after)


def test_memory_outside_of_the_arena_is_limited(tmp_path: Path) -> None:
    came, peak, after = run(tmp_path, "limited", 1000, 60_000_000, 1000)
    assert came == ["999", "refused", "999"]
    assert peak < 512
    assert after < 64


def test_memory_of_a_large_run_is_given_back(tmp_path: Path) -> None:
    came, peak, after = run(tmp_path, "limited", 1000, 20_000_000)
    assert came == ["999", "19999999"]
    assert peak > 200
    assert after < 64


@pytest.mark.full
def test_without_a_limit_the_arena_keeps_memory(tmp_path: Path) -> None:
    came, _, after = run(tmp_path, "unlimited", 1000, 20_000_000)
    assert came == ["999", "19999999"]
    assert after > 100


@pytest.mark.full
def test_what_requests_left_does_not_fail_a_run(tmp_path: Path) -> None:
    """Up to the last million of values that fit into the limit."""
    counts = range(24_000_000, 36_000_000, 1_000_000)
    plain, _, _ = run(tmp_path, "limited", *counts)
    assert {"refused", "23999999"} <= {*plain}
    assert run(tmp_path, "kept", *counts)[0] == plain


REPEATING = """
import sys
from pathlib import Path
import numpy as np
from maas.errors import RunFailed
from maas.serving import memory
from maas.serving.runner import Runner

class Counted:
    def __init__(self, session):
        self.session, self.runs = session, 0

    def run(self, *arguments):
        self.runs += 1
        return self.session.run(*arguments)

memory.limit_models(256 << 20)
memory.limit_process(256 << 20)
runner = Runner(Path(sys.argv[1]), 1)
runner._session = Counted(runner._session)
ballast = bytearray(100 << 20)  # a large process
for count in [1000], [-1], [[1]], [40_000_000], [200_000_000]:
    before = runner._session.runs
    try:
        runner.run({"count": np.array(count)})
    except RunFailed:
        pass
    print(runner._session.runs - before, end=" ")
"""


def test_only_a_run_that_lacked_memory_is_repeated(tmp_path: Path) -> None:
    """Of a right run, two wrong inputs, and what heap and arena refuse."""
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.nonzero())
    done = subprocess.run([sys.executable, "-c", REPEATING, str(path)], capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ["1", "1", "1", "2", "2"], done.stderr


KEEPING = """
import resource, sys
from maas import heap

def request():
    blocks = [b"x" * (3 << 20) for _ in range(8)]

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        request()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

request()
plain = faults()
heap.keep_freed()
request()
print(plain, faults(), heap.give_back())
"""


def test_freed_memory_is_kept_for_the_next_request() -> None:
    done = subprocess.run([sys.executable, "-c", KEEPING], capture_output=True, text=True, check=True, timeout=100)
    plain, kept, given_back = done.stdout.split()
    assert int(plain) > 10_000  # pages that the system had to map and to clear
    assert int(kept) < 100
    assert given_back == "True"
