"""A child process (`python -m maas.inspection MODEL THREADS`): load an unknown model, read its signature, run it once.

Answers one JSON document on stdout: {"inputs", "outputs", "profile"} or {"rejected": reason}. Whatever a hostile file
does to this process (crash, hang, memory) it does to this process alone; `maas.preparation` is the parent.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from maas.datatypes import DTYPES
from maas.errors import ModelRejected, RunFailed
from maas.records import MetadataTensor
from maas.runner import Array, Runner

# Sizes to try for variable dimensions: most models take 1; some need room for a window or a second row.
VARIABLE_SIZES = (1, 2, 16)


def inspect(path: Path, threads: int) -> dict[str, Any]:
    """The signature and profile of a model that loads and runs. Raises ModelRejected."""
    runner = Runner(path, threads)
    run_ms, arrays = _smoke_run(runner)
    outputs = [_checked_output(tensor, array) for tensor, array in zip(runner.outputs, arrays, strict=True)]
    return {
        "inputs": [asdict(tensor) for tensor in runner.inputs],
        "outputs": [asdict(tensor) for tensor in outputs],
        "profile": {
            "load_ms": round(runner.load_ms, 3),
            "run_ms": round(run_ms, 3),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        },
    }


def _smoke_run(runner: Runner) -> tuple[float, list[Array]]:
    """Milliseconds of one run on generated inputs, and what came out."""
    failure = None
    for size in VARIABLE_SIZES:
        inputs = {tensor.name: generated(tensor, size) for tensor in runner.inputs if not tensor.optional}
        started = time.perf_counter()
        try:
            arrays = runner.run(inputs)
        except RunFailed as error:
            failure = failure or error  # of the smallest sizes: the plainest
            continue
        return (time.perf_counter() - started) * 1000, arrays
    assert failure
    raise ModelRejected(f"the smoke run failed with variable dimensions of {VARIABLE_SIZES}: {failure.message}")


def generated(tensor: MetadataTensor, variable_size: int) -> Array:
    """An input that most models take: small fractions, zeros for integers (indices, lengths), short strings."""
    shape = tuple(variable_size if dimension == -1 else dimension for dimension in tensor.shape)
    dtype = DTYPES[tensor.datatype]
    if dtype.hasobject:
        return np.full(shape, "a", dtype=object)
    if dtype.kind == "f":
        return np.random.default_rng(0).random(shape).astype(dtype)
    return np.zeros(shape, dtype)


def _checked_output(tensor: MetadataTensor, array: Array) -> MetadataTensor:
    """The output as it is told to clients. Raises ModelRejected if what came is not what the graph declares."""
    if array.dtype != DTYPES[tensor.datatype]:
        raise ModelRejected(f"output '{tensor.name}' is declared {tensor.datatype}, but is {array.dtype}")
    if tensor.shape in ((), (-1,)) and array.ndim > len(tensor.shape):
        # Neither a graph that leaves out a shape nor a sequence tells the rank.
        return replace(tensor, shape=(-1,) * array.ndim)
    fits = len(tensor.shape) == array.ndim and all(
        fixed in (-1, size) for fixed, size in zip(tensor.shape, array.shape, strict=True)
    )
    if not fits:
        raise ModelRejected(
            f"output '{tensor.name}' is declared of shape {list(tensor.shape)}, but has {list(array.shape)}"
        )
    return tensor


def main() -> None:
    try:
        answer = inspect(Path(sys.argv[1]), int(sys.argv[2]))
    except ModelRejected as error:
        answer = {"rejected": error.message}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
