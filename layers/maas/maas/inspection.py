"""A child process (`python -m maas.inspection MODEL THREADS`): load an unknown model, read its signature, run it once.

Answers one JSON document on stdout: {"inputs", "outputs", "profile"} or {"rejected": reason}. Whatever a hostile file
does to this process (crash, hang, memory) it does to this process alone; `maas.preparation` is the parent.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from maas.errors import ModelRejected, RunFailed
from maas.records import MetadataTensor
from maas.runner import Array, Runner
from maas.tensors import DTYPES

# Sizes to try for variable dimensions: most models take 1; some need room for a window or a second row.
VARIABLE_SIZES = (1, 2, 16)


def inspect(path: Path, threads: int) -> dict[str, Any]:
    """The signature and profile of a model that loads and runs. Raises ModelRejected."""
    runner = Runner(path, threads)
    run_ms = _smoke_run(runner)
    return {
        "inputs": [asdict(tensor) for tensor in runner.inputs],
        "outputs": [asdict(tensor) for tensor in runner.outputs],
        "profile": {
            "load_ms": round(runner.load_ms, 3),
            "run_ms": round(run_ms, 3),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        },
    }


def _smoke_run(runner: Runner) -> float:
    """Milliseconds of one run on generated inputs, with the outputs held against the signature."""
    for size in VARIABLE_SIZES:
        inputs = {tensor.name: generated(tensor, size) for tensor in runner.inputs}
        started = time.perf_counter()
        try:
            arrays = runner.run(inputs)
        except RunFailed as error:
            failure = error
            continue
        run_ms = (time.perf_counter() - started) * 1000
        _check_outputs(runner.outputs, arrays)
        return run_ms
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


def _check_outputs(declared: Sequence[MetadataTensor], arrays: Sequence[Array]) -> None:
    for tensor, array in zip(declared, arrays, strict=True):
        if array.dtype != DTYPES[tensor.datatype]:
            raise ModelRejected(f"output '{tensor.name}' is declared {tensor.datatype}, but is {array.dtype}")
        fits = len(tensor.shape) == array.ndim and all(
            fixed in (-1, size) for fixed, size in zip(tensor.shape, array.shape, strict=True)
        )
        if tensor.shape and not fits:
            raise ModelRejected(
                f"output '{tensor.name}' is declared of shape {list(tensor.shape)}, but has {list(array.shape)}"
            )


def main() -> None:
    try:
        answer = inspect(Path(sys.argv[1]), int(sys.argv[2]))
    except ModelRejected as error:
        answer = {"rejected": error.message}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
