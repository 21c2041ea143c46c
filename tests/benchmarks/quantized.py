"""A quantised form against its source: time of a run, size, and how far its answers are off."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from maas.deployment.model_optimization import write_quantized
from maas.deployment.quantization import relative_difference
from maas.deployment.variants import MODEL_NAME
from maas.serving.runner import Runner
from support import networks

RUNS, THREADS = 15, 1


def measure() -> list[Figure]:
    """Interleaved, so that what disturbs one disturbs the other."""
    cases = {"transformer": (networks.transformer(), (1, 64, 512)), "dense layers": (networks.dense(50), (1, 64))}
    return [_measured(name, content, shape) for name, (content, shape) in cases.items()]


def _measured(name: str, content: bytes, shape: tuple[int, ...]) -> Figure:
    x = {"x": np.random.default_rng(0).random(shape).astype(np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        source, to = Path(folder) / "source.onnx", Path(folder) / "int8"
        to.mkdir()
        source.write_bytes(content)
        write_quantized(source, to / MODEL_NAME)
        size = sum(file.stat().st_size for file in to.iterdir()) / len(content)
        runners = Runner(to / MODEL_NAME, THREADS), Runner(source, THREADS)
        difference = relative_difference(*(runner.run(x)[0] for runner in runners))
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(RUNS):
            for runner, taken in zip(runners, times, strict=True):
                started = time.perf_counter()
                runner.run(x)
                taken.append((time.perf_counter() - started) * 1000)
    ours, reference = map(statistics.median, times)
    note = f"{size:.2f}× the size, differs by {difference:.1%} of the largest value"
    return Figure(f"run in int8, {name}", ours, "source", reference, ours / reference, "×", note=note)
