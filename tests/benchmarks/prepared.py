"""A prepared form against its source: time to load, time to run, and memory while loading."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from maas.deployment.model_optimization import write_prepared
from maas.deployment.variants import DATA_NAME, MODEL_NAME
from maas.serving.runner import Runner
from support import networks

LOADS, RUNS, THREADS = 9, 9, 1
_PEAK = """
import sys
from pathlib import Path
from maas.deployment.inspection import peak_memory_bytes
from maas.serving.runner import Runner
if len(sys.argv) > 1:
    Runner(Path(sys.argv[1]), 1, prepared=sys.argv[2] == "prepared")
print(peak_memory_bytes())
"""


def measure() -> list[Figure]:
    figures = []
    cases = {
        "convolutions": (networks.convolutions(), (1, 3, 64, 64)),
        "transformer": (networks.transformer(), (1, 64, 512)),
    }
    for name, (content, shape) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            source, prepared = Path(folder) / "source.onnx", Path(folder) / MODEL_NAME
            source.write_bytes(content)
            write_prepared(source, prepared, DATA_NAME, THREADS)
            named = f"{name}, {len(content) / 1e6:.0f} MB"
            figures += _speed(named, source, prepared, np.random.default_rng(0).random(shape).astype(np.float32))
            figures += _memory(named, source, prepared, len(content))
    return figures


def _speed(name: str, source: Path, prepared: Path, x: np.ndarray) -> list[Figure]:
    """Interleaved, so that what disturbs one disturbs the other."""
    loads: dict[bool, list[float]] = {False: [], True: []}
    runs: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(LOADS):
        for is_prepared, path in ((False, source), (True, prepared)):
            loads[is_prepared].append(Runner(path, THREADS, prepared=is_prepared).load_ms)
    runners = {False: Runner(source, THREADS), True: Runner(prepared, THREADS, prepared=True)}
    for _ in range(RUNS):
        for is_prepared, runner in runners.items():
            runs[is_prepared].append(_run_ms(runner, x))
    load = {which: statistics.median(times) for which, times in loads.items()}
    run = {which: statistics.median(times) for which, times in runs.items()}
    return [
        Figure(f"load, {name}", load[True], "source", load[False], load[True] / load[False], "×", goal=0.5),
        Figure(f"run, {name}", run[True], "source", run[False], run[True] / run[False], "×", 1.1),
    ]


def _run_ms(runner: Runner, x: np.ndarray) -> float:
    import time

    started = time.perf_counter()
    runner.run({"x": x})
    return (time.perf_counter() - started) * 1000


def _memory(name: str, source: Path, prepared: Path, size_bytes: int) -> list[Figure]:
    """Peak over what Python and onnxruntime take by themselves, as a multiple of the model's size."""
    base = _peak()
    figures = []
    for form, path, budget in (("source", source, None), ("prepared", prepared, 1.3)):
        times = (_peak(path, form) - base) / size_bytes
        figures.append(Figure(f"memory to load {form}, {name}", 0, "model size", 0, times, "×", budget))
    return figures


def _peak(*arguments: object) -> int:
    command = [sys.executable, "-c", _PEAK, *map(str, arguments)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
