"""A thousand seeds through the fault harness, in two processes."""

import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import Figure
from support.aws.engine import ROOT

SEEDS, AT_ONCE, PROCESSES = 1000, 50, 2


def measure() -> Figure:
    """The number of seeds and the faults met. Raises AssertionError if a result differs from the one without faults."""
    started = time.perf_counter()
    met: Counter[str] = Counter()
    with ThreadPoolExecutor(PROCESSES) as pool:
        for one in pool.map(_run, range(0, SEEDS, AT_ONCE)):
            met += one
    assert met["seeds"] == SEEDS
    each_ms = (time.perf_counter() - started) * 1000 / SEEDS
    told = ", ".join(f"{count:,} {kind}" for kind, count in met.most_common())
    return Figure("batch jobs under faults, all outputs byte-equal", each_ms, "none", 0, SEEDS, " seeds", note=told)


def _run(first: int) -> Counter[str]:
    command = [sys.executable, "-m", "support.batch.seeds", str(first), str(min(first + AT_ONCE, SEEDS))]
    done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return Counter(json.loads(done.stdout.splitlines()[-1]))  # the last line: metrics are printed before it
