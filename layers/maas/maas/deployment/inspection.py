"""Child process `python -m maas.deployment.inspection JOB`: checks, loads, runs, measures and prepares a model.

JOB is JSON, the fields of `preparation.Job`. Writes one JSON document to stdout, {"inputs", "outputs", "warnings",
"profile", "prepared"} or {"rejected": reason}. A hostile file can crash or hang this process alone; `preparation` is
the parent.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from maas.deployment import golden, onnx_file
from maas.deployment.preparation import Job
from maas.deployment.seen_outputs import seen_outputs
from maas.deployment.variants import DATA_NAME, MODEL_NAME
from maas.errors import ModelRejected, RunFailed
from maas.records import GOLDEN_FOLDER, MetadataTensor
from maas.serving.datatypes import DTYPES
from maas.serving.runner import Array, Runner, write_prepared

# Sizes to try for variable dimensions: most models take 1; some need room for a window or a second row.
VARIABLE_SIZES = (1, 2, 16)
RUNS, LOADS, LARGE_BATCH = 5, 3, 32
RUNS_SECONDS = 20.0  # slow models are measured with fewer runs
WORTH_PREPARING_BYTES = 1 << 20  # smaller models load in a few milliseconds anyway
Signature = tuple[tuple[MetadataTensor, ...], tuple[MetadataTensor, ...]]
SAME_RTOL, SAME_ATOL = 1e-3, 1e-4  # between a graph and its optimised form, of the largest value


def inspect(job: Job) -> dict[str, Any]:
    """Signature, profile and prepared form of the model. Raises ModelRejected."""
    path = Path(job.path)
    onnx_file.check(path, job.max_tensor_bytes)
    runner = Runner(path, job.threads)
    inputs, arrays = smoke_run(runner, path.parent / GOLDEN_FOLDER)
    outputs, warnings = seen_outputs(runner.outputs, arrays)
    vectors = golden.check(runner, path.parent / GOLDEN_FOLDER, job.rtol, job.atol)
    peak_bytes = peak_memory_bytes()
    large_ms = _large_batch_ms(runner, inputs)
    profile = {
        "load_ms": round(runner.load_ms, 3),
        "run_ms": round(median_run_ms(runner, inputs), 3),
        "peak_memory_bytes": peak_bytes,
        "golden_vectors": vectors,
    }
    signature, load_ms = (runner.inputs, runner.outputs), runner.load_ms
    del runner  # before the prepared form loads: a large model fits into memory once
    return {
        "inputs": [asdict(tensor) for tensor in signature[0]],
        "outputs": [asdict(tensor) for tensor in outputs],
        "warnings": warnings,
        "profile": profile | ({"run_ms_batch_32": round(large_ms, 3)} if large_ms else {}),
        "prepared": _prepared(job, signature, load_ms, inputs, arrays),
    }


def smoke_run(runner: Runner, vectors: Path) -> tuple[dict[str, Array], list[Array]]:
    """Inputs that the model takes, and what it made of them."""
    failure = None
    for inputs in _tries(runner, vectors):
        try:
            return inputs, runner.run(inputs)
        except RunFailed as error:
            failure = failure or error  # of the smallest sizes: the plainest
    assert failure
    raise ModelRejected(
        f"the smoke run failed with variable dimensions of {VARIABLE_SIZES}: {failure.message}; "
        f"a model that takes only certain values has to bring a test vector with them, in {GOLDEN_FOLDER}/"
    )


def _tries(runner: Runner, vectors: Path) -> Iterator[dict[str, Array]]:
    for size in VARIABLE_SIZES:
        yield {tensor.name: generated(tensor, size) for tensor in runner.inputs if not tensor.optional}
    if inputs := next(golden.inputs_of(runner, vectors), None):
        yield dict(inputs)


def generated(tensor: MetadataTensor, variable_size: int, batch: int | None = None) -> Array:
    """An input that most models take: small fractions, zeros for integers (indices, lengths), short strings.

    `batch` is the size of the first dimension where that is variable.
    """
    shape = [variable_size if dimension == -1 else dimension for dimension in tensor.shape]
    if batch and tensor.shape[:1] == (-1,):
        shape[0] = batch
    dtype = DTYPES[tensor.datatype]
    if dtype.hasobject:
        return np.full(shape, "a", dtype=object)
    if dtype.kind == "f":
        return np.random.default_rng(0).random(shape).astype(dtype)
    return np.zeros(shape, dtype)


def median_run_ms(runner: Runner, inputs: dict[str, Array]) -> float:
    """Median of a few runs."""
    times: list[float] = []
    while len(times) < RUNS and sum(times) < RUNS_SECONDS * 1000:
        started = time.perf_counter()
        runner.run(inputs)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _large_batch_ms(runner: Runner, inputs: dict[str, Array]) -> float | None:
    """Milliseconds of a run with 32 rows; None for a model without a batch dimension."""
    required = [tensor for tensor in runner.inputs if not tensor.optional]
    if not required or any(tensor.shape[:1] != (-1,) for tensor in required):
        return None
    size = inputs[required[0].name].shape[0]  # what the smoke run found for variable dimensions
    try:
        return median_run_ms(runner, {tensor.name: generated(tensor, size, LARGE_BATCH) for tensor in required})
    except RunFailed:
        return None


def _prepared(
    job: Job, signature: Signature, source_load_ms: float, inputs: dict[str, Array], expected: list[Array]
) -> dict[str, float] | None:
    """Measurements of the prepared form; None if it does not load faster or its outputs differ."""
    if sum(one.stat().st_size for one in Path(job.path).parent.rglob("*") if one.is_file()) < WORTH_PREPARING_BYTES:
        return None
    to = Path(job.prepared) / MODEL_NAME
    try:
        write_prepared(Path(job.path), to, DATA_NAME, job.threads)
        load_ms = statistics.median(Runner(to, job.threads, prepared=True).load_ms for _ in range(LOADS))
        runner = Runner(to, job.threads, prepared=True)
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


def _difference(came: Array, wanted: Array) -> float | None:
    """The largest difference; None if it is more than rounding explains."""
    if came.shape != wanted.shape or came.dtype != wanted.dtype:
        return None
    if wanted.dtype.kind != "f" or not wanted.size:
        return 0.0 if came.tolist() == wanted.tolist() else None
    found = golden.difference(came, wanted)
    found[np.isnan(found)] = 0
    finite = np.abs(wanted[np.isfinite(wanted)].astype(np.float64))
    allowed = SAME_ATOL + SAME_RTOL * (finite.max() if finite.size else 0)
    return float(found.max()) if found.max() <= allowed else None


def peak_memory_bytes() -> int:
    """Of this process since its start; getrusage would include the memory of the process that forked it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


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
