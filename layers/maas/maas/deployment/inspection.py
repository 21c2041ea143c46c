"""Child process `python -m maas.deployment.inspection JOB`: checks, loads, runs, measures and prepares a model.

JOB is JSON, the fields of `preparation.Job`. Writes one JSON document to stdout, the fields of `preparation.Inspection`
or {"rejected": reason}, and with either its "peak_memory_bytes". A hostile file can crash or hang this process alone;
`preparation` is the parent.
"""

import ctypes
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from maas.deployment import golden, golden_tasks, onnx_file
from maas.deployment.child_stages import tell
from maas.deployment.missing_locales import check_locales
from maas.deployment.model_optimization import write_prepared
from maas.deployment.preparation import Job
from maas.deployment.seen_outputs import seen_outputs
from maas.deployment.trial.smoke_run import TASK, NothingRuns, SmokeRun, required_inputs, smoke_run, with_rows
from maas.deployment.undeclared_shapes import undeclared_shapes
from maas.deployment.variants import DATA_NAME, MODEL_NAME
from maas.errors import ModelRejected, RunFailed
from maas.records import GOLDEN_FOLDER, MetadataTensor, Stage
from maas.records.rows import row_of
from maas.serving import comparison
from maas.serving.datatypes import Array
from maas.serving.runner import Runner
from maas.tasks.loading import root_of
from maas.tasks.recognition import Recognized
from maas.tasks.recognition import recognized as task_of

RUNS, LOADS, LARGE_BATCH = 5, 3, 32
RUNS_SECONDS, LOADS_SECONDS = 2.0, 0.5  # slow models are measured with fewer runs, and loads
WORTH_PREPARING_BYTES = 1 << 20  # smaller models load in a few milliseconds anyway
Signature = tuple[tuple[MetadataTensor, ...], tuple[MetadataTensor, ...]]
SAME_RTOL, SAME_ATOL = 1e-3, 1e-4  # between a graph and its optimised form, of the largest value


def inspect(job: Job) -> dict[str, Any]:
    """Signature, profile and prepared form of the model. Raises ModelRejected."""
    path = Path(job.path)
    tell(Stage.LOADING)
    onnx_file.check(path, job.max_tensor_bytes)
    runner = _loaded(path, job.threads)
    tell(Stage.SMOKE_RUN)
    recognized = task_of(path, runner, job.task)
    undeclared = undeclared_shapes(path, runner.inputs)
    try:
        found = _smoke_run(job, runner, recognized)
    except NothingRuns as error:
        if job.smoke_run == "required":
            raise
        return _never_run(runner, error, recognized, undeclared)
    if found.failures:  # their memory shall not count
        del runner
        runner = Runner(path, job.threads)
        _forget_peak()
        runner.run(found.inputs)
    outputs, warnings = seen_outputs(runner.outputs, found.outputs)
    warnings += undeclared
    if recognized.warning:
        warnings.append(recognized.warning)
    vectors = golden.check(runner, path, job.threads, job.rtol, job.atol)
    vectors += golden_tasks.check(recognized.runner, root_of(path) / GOLDEN_FOLDER, job.rtol, job.atol)
    profile = _profile(runner, found, vectors)
    tell(Stage.PREPARING)
    signature, load_ms = (runner.inputs, runner.outputs), runner.load_ms
    del runner  # before the prepared form loads: a large model fits into memory once
    return _signature(recognized, signature[0], outputs) | {
        "warnings": warnings,
        "profile": profile,
        "prepared": _prepared(job, signature, load_ms, found.inputs, found.outputs),
        "trial": asdict(found.trial) if found.trial else None,
    }


def _loaded(path: Path, threads: int) -> Runner:
    try:
        return Runner(path, threads)
    except ModelRejected:
        check_locales(path)
        raise


def _smoke_run(job: Job, runner: Runner, found: Recognized) -> SmokeRun:
    """With what the task makes of a sample, or as for any graph."""
    if found.feeds is None:
        return smoke_run(runner, Path(job.path), job.shapes, job.search_seconds)
    return SmokeRun(found.feeds, runner.run(found.feeds), TASK)


def _signature(
    found: Recognized, inputs: Sequence[MetadataTensor], outputs: Sequence[MetadataTensor]
) -> dict[str, Any]:
    """Inputs and outputs of the task, if there is one, and the task with those of the graph."""
    served = (found.runner.inputs, found.runner.outputs) if found.runner else (inputs, outputs)
    task = replace(found.task, raw_outputs=tuple(outputs)) if found.task else None
    return {
        "inputs": row_of(served[0]),
        "outputs": row_of(served[1]),
        "task": row_of(task),
    }


def _never_run(runner: Runner, error: NothingRuns, found: Recognized, undeclared: list[str]) -> dict[str, Any]:
    """The answer for a model that nothing is known of but its declaration."""
    warnings = [f"never run, so its outputs and measurements are unknown: {error.what}", *undeclared]
    return _signature(found, runner.inputs, runner.outputs) | {
        "warnings": warnings + ([found.warning] if found.warning else []),
        "profile": None,
        "prepared": None,
        "trial": None,
    }


def _profile(runner: Runner, found: SmokeRun, vectors: int) -> dict[str, Any]:
    """Measurements of the model, and the inputs that they are of; `vectors` were compared."""
    profile: dict[str, Any] = {
        "load_ms": round(runner.load_ms, 3),
        "peak_memory_bytes": peak_memory_bytes(),
        "run_ms": round(median_run_ms(runner, found.inputs), 3),
        "golden_vectors": vectors,
        "shapes": found.shapes,
        "shapes_from": found.shapes_from,
    } | _large_batch(runner, found)
    if found.trial:
        profile["values"] = found.trial.values(required_inputs(runner))
    return profile


def median_run_ms(runner: Runner, inputs: dict[str, Array]) -> float:
    """Median of a few runs."""
    times: list[float] = []
    while len(times) < RUNS and sum(times) < RUNS_SECONDS * 1000:
        started = time.perf_counter()
        runner.run(inputs)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _large_batch(runner: Runner, found: SmokeRun) -> dict[str, float]:
    """Milliseconds of a run with 32 rows; nothing for a model without a batch dimension."""
    inputs = with_rows(runner, found, LARGE_BATCH)
    if inputs is None:
        return {}
    try:
        return {"run_ms_batch_32": round(median_run_ms(runner, inputs), 3)}
    except RunFailed:
        return {}


def _prepared(
    job: Job, signature: Signature, source_load_ms: float, inputs: dict[str, Array], expected: list[Array]
) -> dict[str, float] | None:
    """Measurements of the prepared form; None if it does not load faster or its outputs differ."""
    if sum(one.stat().st_size for one in Path(job.path).parent.rglob("*") if one.is_file()) < WORTH_PREPARING_BYTES:
        return None
    to = Path(job.prepared) / MODEL_NAME
    try:
        write_prepared(Path(job.path), to, DATA_NAME, job.threads)
        runner, load_ms = _loaded_often(to, job.threads)
        if (runner.inputs, runner.outputs) != signature:
            return None
        differences = [_difference(*pair) for pair in zip(runner.run(inputs), expected, strict=True)]
        run_ms = median_run_ms(runner, inputs)
    except (ModelRejected, RunFailed):
        return None
    if None in differences or load_ms >= source_load_ms:
        return None
    worst = max((one for one in differences if one is not None), default=0.0)
    return {"load_ms": round(load_ms, 3), "run_ms": round(run_ms, 3), "max_difference": worst}


def _loaded_often(path: Path, threads: int) -> tuple[Runner, float]:
    """The prepared form, and the median time of a few loads in milliseconds, one at a time in memory."""
    times: list[float] = []
    while True:
        runner = Runner(path, threads, prepared=True)
        times.append(runner.load_ms)
        if len(times) == LOADS or sum(times) > LOADS_SECONDS * 1000:
            return runner, statistics.median(times)
        del runner


def _difference(came: Array, wanted: Array) -> float | None:
    """The largest difference; None if it is more than rounding explains."""
    if came.shape != wanted.shape or came.dtype != wanted.dtype:
        return None
    if wanted.dtype.kind != "f" or not wanted.size:
        return 0.0 if came.tolist() == wanted.tolist() else None
    found = comparison.difference(came, wanted)
    found[np.isnan(found)] = 0
    finite = np.abs(wanted[np.isfinite(wanted)].astype(np.float64))
    allowed = SAME_ATOL + SAME_RTOL * (finite.max() if finite.size else 0)
    return float(found.max()) if found.max() <= allowed else None


def peak_memory_bytes() -> int:
    """Of this process since its start; getrusage would include the memory of the process that forked it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _forget_peak() -> None:
    """Gives freed memory back and lets `peak_memory_bytes` begin anew.

    https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
    """
    with suppress(OSError, AttributeError):  # malloc_trim is glibc's
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def answer_with(found: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Writes the answer that `child.run` reads: of `found(job)`, or its rejection."""
    # onnxruntime's Python prints to standard output: send that to the log, and the answer to a copy of the descriptor.
    answer_stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        answer = found(json.loads(sys.argv[1]))
    except ModelRejected as error:
        answer = {"rejected": error.message}
    answer["peak_memory_bytes"] = peak_memory_bytes()
    json.dump(answer, answer_stream)
    answer_stream.flush()


if __name__ == "__main__":
    answer_with(lambda job: inspect(Job(**job)))
