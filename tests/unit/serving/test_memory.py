"""Runs that need more memory than their process may take: they fail alone, and memory comes back."""

import subprocess
import sys
from pathlib import Path

from support import onnx_models

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from maas.errors import RunFailed
from maas.serving import memory
from maas.serving.runner import Runner

def kilobytes(name):
    return int(Path("/proc/self/status").read_text().partition(name + ":")[2].split()[0])

memory.limit_models(512 << 20)
if sys.argv[2] == "limited":
    memory.limit_process(512 << 20)
runner = Runner(Path(sys.argv[1]), 1)
before = kilobytes("VmRSS")
for count in map(int, sys.argv[3:]):
    try:
        print(runner.run({"count": np.array([count])})[0], end=" ")
    except RunFailed as error:
        print("refused" if "bad_alloc" in error.message else error.message, end=" ")
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


def test_without_a_limit_the_arena_keeps_memory(tmp_path: Path) -> None:
    came, _, after = run(tmp_path, "unlimited", 1000, 20_000_000)
    assert came == ["999", "19999999"]
    assert after > 100
