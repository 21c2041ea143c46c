"""Runs a model once with inputs that it takes: an example, a test vector, or generated ones."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maas.deployment import golden
from maas.deployment.trial.dimensions import VariableDimensions
from maas.deployment.trial.example import example_inputs
from maas.deployment.trial.fills import Trial, fills
from maas.deployment.trial.search import MOST_ELEMENTS, trials
from maas.errors import DeadlineExceeded, ModelRejected, RunFailed
from maas.records import GOLDEN_FOLDER, MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.runner import Runner

EXAMPLE, GOLDEN, SIGNATURE, TASK = "example", "golden", "signature", "task"
_TWO_WAYS = (
    "push it with inputs that it takes, as example.npz or example.json (--example FILE), "
    "or with smoke_run optional (--smoke-run optional), so that it is READY without having run"
)


class NothingRuns(ModelRejected):
    """No generated input runs, which may be the inputs' fault; `what` says what was tried and how it failed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the smoke run failed: {what}; {_TWO_WAYS}")
        self.what = what


@dataclass(frozen=True, slots=True)
class SmokeRun:
    """Inputs that the model takes and its outputs; `trial` is how the inputs were generated, if they were."""

    inputs: dict[str, Array]
    outputs: list[Array]
    shapes_from: str
    trial: Trial | None = None
    failures: int = 0

    @property
    def shapes(self) -> dict[str, list[int]]:
        return {name: list(array.shape) for name, array in self.inputs.items()}


def smoke_run(
    runner: Runner, path: Path, shapes: Mapping[str, Sequence[int]] | None = None, search_seconds: float = 0
) -> SmokeRun:
    """Runs the model at `path` with the example or the first test vector beside it, else with generated inputs.

    `shapes` are known to fit: no others are tried. Raises NothingRuns if no generated input runs, ModelRejected for an
    example or a test vector that does not.
    """
    return _given(runner, path.parent) or _generated(runner, path, shapes, search_seconds)


def repeated(runner: Runner, path: Path, trial: Trial | None) -> SmokeRun:
    """A smoke run that another process made, of this trial if the inputs were generated. Raises ModelRejected."""
    if trial is None:
        return smoke_run(runner, path)
    inputs = trial.arrays(required_inputs(runner))
    return SmokeRun(inputs, runner.run(inputs), SIGNATURE, trial)


def required_inputs(runner: Runner) -> list[MetadataTensor]:
    return [tensor for tensor in runner.inputs if not tensor.optional]


def with_rows(runner: Runner, found: SmokeRun, rows: int) -> dict[str, Array] | None:
    """Inputs as the smoke run's with so many rows; None without a batch dimension, and where they are too large."""
    dimensions = VariableDimensions(required_inputs(runner), runner.symbols)
    required = {tensor.name for tensor in required_inputs(runner)}
    shapes = dimensions.with_rows(found.shapes, rows) if found.shapes.keys() == required else None
    if shapes is None or sum(math.prod(shape) for shape in shapes.values()) > MOST_ELEMENTS:
        return None
    if found.trial:
        return Trial(shapes, found.trial.fills).arrays(required_inputs(runner))
    return {name: np.resize(array, shapes[name]) for name, array in found.inputs.items()}


def _given(runner: Runner, folder: Path) -> SmokeRun | None:
    if example := example_inputs(runner, folder):
        name, shapes_from, inputs = example.name, EXAMPLE, example.inputs
    elif vector := next(golden.vectors(runner, folder / GOLDEN_FOLDER), None):
        name, shapes_from, inputs = vector.name, GOLDEN, dict(vector.inputs)
    else:
        return None
    try:
        return SmokeRun(inputs, runner.run(inputs), shapes_from)
    except RunFailed as error:
        raise ModelRejected(f"{name}: {error.message}") from None


def _generated(
    runner: Runner, path: Path, shapes: Mapping[str, Sequence[int]] | None, search_seconds: float
) -> SmokeRun:
    required = required_inputs(runner)
    deadline = time.monotonic() + search_seconds
    tried: list[Trial] = []
    failure = ""
    for trial in (
        (Trial(shapes, fill) for fill in fills(required)) if shapes else trials(path, required, runner.symbols)
    ):
        inputs = trial.arrays(required)
        try:
            outputs = runner.run(inputs, deadline=deadline if failure else None)  # the first may take its time
            return SmokeRun(inputs, outputs, SIGNATURE, trial, len(tried))
        except RunFailed as error:
            failure = error.message  # the error itself would keep the runner, by its traceback
        except DeadlineExceeded:
            break
        tried.append(trial)
        if time.monotonic() > deadline:
            break
    assert failure
    raise NothingRuns(f"{_told(tried, required)}; the last error: {failure}")


def _told(tried: Sequence[Trial], required: Sequence[MetadataTensor]) -> str:
    """What was tried."""
    sizes = [
        size
        for trial in tried
        for tensor in required
        for size, declared in zip(trial.shapes[tensor.name], tensor.shape, strict=True)
        if declared == -1
    ]
    with_sizes = f"with variable dimensions of {min(sizes)} to {max(sizes)}" if sizes else "of the declared shapes"
    return f"none of {len(tried):,} generated inputs runs, {with_sizes}"
