"""Child process `python -m maas.deployment.quantization JOB`: quantises a model's weights to int8 and measures it.

JOB is JSON, the fields of `preparation.QuantizeJob`. Writes one JSON document to stdout: {"size_bytes", "difference",
"load_ms", "run_ms", "reason"} or {"rejected": reason} if it cannot be quantised. If `reason` is not null, the form is
not worth keeping.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maas.deployment import golden
from maas.deployment.inspection import LARGE_BATCH, answer_with, median_run_ms
from maas.deployment.model_optimization import write_quantized
from maas.deployment.preparation import QuantizeJob
from maas.deployment.trial.fills import Trial
from maas.deployment.trial.smoke_run import TASK, SmokeRun, repeated, with_rows
from maas.deployment.variants import MODEL_NAME
from maas.errors import ModelRejected, RunFailed
from maas.records import GOLDEN_FOLDER, Task
from maas.serving import comparison
from maas.serving.datatypes import Array
from maas.serving.runner import Runner
from maas.tasks.recognition import Recognized, recognized, sample_answers
from maas.tasks.task_runner import TaskRunner


def quantize(job: QuantizeJob) -> dict[str, Any]:
    """Measurements of the quantised form. Raises ModelRejected if onnxruntime cannot make or run it."""
    path, to = Path(job.path), Path(job.to)
    source = Runner(path, job.threads)
    signature = (source.inputs, source.outputs)
    found = recognized(path, source, job.task) if job.task else Recognized()
    smoke = _smoke(job, source, found)
    task = _TaskAnswers(found.runner, found.task) if found.runner and found.task else None
    runs = [] if task else [(inputs, source.run(inputs)) for inputs in _samples(source, path, smoke)]
    del source, found  # quantisation needs the memory
    _write(path, to)
    size_bytes = sum(file.stat().st_size for file in to.iterdir())
    runner = Runner(to / MODEL_NAME, job.threads)
    if (runner.inputs, runner.outputs) != signature:
        raise ModelRejected("the quantised form has another signature")
    try:
        differences = [_difference(runner.run(inputs), expected) for inputs, expected in runs]
        difference = task.difference(runner) if task else max(differences)
        run_ms = median_run_ms(runner, smoke.inputs)
    except RunFailed as error:
        raise ModelRejected(f"the quantised form does not run: {error.message}") from None
    return {
        "size_bytes": size_bytes,
        "difference": difference if math.isfinite(difference) else None,
        "load_ms": round(runner.load_ms, 3),
        "run_ms": round(run_ms, 3),
        "reason": _reason(job, size_bytes, difference),
    }


class _TaskAnswers:
    """What a task answers to its sample: of the graph's outputs, those of padding differ, and nobody sees them."""

    def __init__(self, runner: TaskRunner, task: Task) -> None:
        self._of_graph = partial(TaskRunner, name=runner.name, steps=runner.steps, limits=runner.limits)
        self._task, self._expected = task, sample_answers(runner, task)

    def difference(self, quantized: Runner) -> float:
        came = sample_answers(self._of_graph(raw=quantized), self._task)
        numbers = [name for name, array in self._expected.items() if array.dtype.kind == "f"]
        return _difference([came[name] for name in numbers], [self._expected[name] for name in numbers])


def _smoke(job: QuantizeJob, source: Runner, found: Recognized) -> SmokeRun:
    """As the inspection's."""
    if found.feeds is not None:
        return SmokeRun(found.feeds, source.run(found.feeds), TASK)
    return repeated(source, Path(job.path), Trial(**job.trial) if job.trial else None)


def _samples(source: Runner, path: Path, smoke: SmokeRun) -> Iterator[Mapping[str, Array]]:
    """Inputs to compare outputs on: of the smoke run, of a batch of 32 if the model takes one, of the test vectors."""
    yield smoke.inputs
    if many := with_rows(source, smoke, LARGE_BATCH):
        with suppress(RunFailed):
            source.run(many)
            yield many
    yield from (vector.inputs for vector in golden.vectors(source, path.parent / GOLDEN_FOLDER))


def _write(path: Path, to: Path) -> None:
    # onnxruntime leaves copies among the temporary files: in a folder that the parent removes in any case.
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        tempfile.tempdir = folder
        try:
            write_quantized(path, to / MODEL_NAME)
        finally:
            tempfile.tempdir = None


def _difference(came: list[Array], expected: list[Array]) -> float:
    return max((relative_difference(*pair) for pair in zip(came, expected, strict=True)), default=0.0)


def relative_difference(came: Array, wanted: Array) -> float:
    """The largest difference over the largest value; for other types than floats, the share of elements that differ.

    Infinite for another shape, and where only one of two elements is NaN or infinite.
    """
    if came.shape != wanted.shape:
        return math.inf
    if not wanted.size:
        return 0.0
    if wanted.dtype.kind != "f":
        return float(np.mean(came != wanted))
    found = comparison.difference(came, wanted)
    found[np.isnan(found)] = 0
    finite = np.abs(wanted[np.isfinite(wanted)].astype(np.float64))
    largest = float(finite.max()) if finite.size else 0.0
    worst = float(found.max())
    return worst / largest if largest else (math.inf if worst else 0.0)


def _reason(job: QuantizeJob, size_bytes: int, difference: float) -> str | None:
    if difference > job.tolerance:
        return f"its outputs differ by {difference:.3g} of the largest value, allowed are {job.tolerance:g}"
    folder = Path(job.path).parent
    files = [file for file in folder.rglob("*") if file.is_file() and folder / GOLDEN_FOLDER not in file.parents]
    source_bytes = sum(file.stat().st_size for file in files)
    if size_bytes >= source_bytes:
        return (
            f"it is not smaller ({size_bytes:,} of {source_bytes:,} bytes): there are hardly any matrices to quantise"
        )
    return None


if __name__ == "__main__":
    answer_with(lambda job: quantize(QuantizeJob(**job)))
