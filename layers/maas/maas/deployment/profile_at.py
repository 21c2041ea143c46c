"""Measures a version at shapes that a caller names, on generated inputs."""

import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maas.deployment.trial.fills import Trial, fills
from maas.errors import InvalidRequest, RunFailed
from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, Array
from maas.serving.served_model import ServedModel

MAX_RUNS = 20
RUNS_SECONDS = 20.0
MAX_INPUT_BYTES = 64 << 20  # as of a request
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ProfileAt:
    """`run_ms` is the median of `runs` runs with inputs of these shapes."""

    shapes: Shapes
    runs: int
    run_ms: float


def profile_at(runner: ServedModel, named: Mapping[str, Sequence[int]], runs: int, deadline: float) -> ProfileAt:
    """At most `runs` runs, fewer if they would take too long. `deadline` is of time.monotonic.

    Raises InvalidRequest for shapes that do not fit the signature or beyond MAX_INPUT_BYTES, RunFailed for those that
    the graph refuses, DeadlineExceeded if not even one run ends in time.
    """
    end = min(deadline, time.monotonic() + RUNS_SECONDS)
    shapes = full_shapes(runner, named)
    inputs, first_ms = _first_run(runner, shapes, end)
    times: list[float] = []
    while len(times) < runs and time.monotonic() + max(times, default=first_ms) / 1000 < end:
        times.append(_run_ms(runner, inputs, end))
    return ProfileAt(shapes, len(times) or 1, statistics.median(times or [first_ms]))


def full_shapes(runner: ServedModel, named: Mapping[str, Sequence[int]]) -> Shapes:
    """The shapes of all required inputs, and of those optional ones that are named.

    Sizes of an input that is not named follow from its signature and from the symbols of those that are. Raises
    InvalidRequest, naming the field.
    """
    signature = {tensor.name: tensor for tensor in runner.inputs}
    shapes: Shapes = {}
    sizes: dict[str, int] = {}
    for name, shape in named.items():
        if name not in signature:
            raise _wrong(name, "this name", f"one of {sorted(signature)}")
        shapes[name] = _checked(signature[name], shape)
        for symbol, size in zip(runner.symbols.get(name, ()), shape, strict=False):
            if symbol is not None and sizes.setdefault(symbol, size) != size:
                raise _wrong(name, list(shape), f"{symbol}={sizes[symbol]} in all inputs")
    for tensor in runner.inputs:
        if not tensor.optional and tensor.name not in shapes:
            shapes[tensor.name] = _inferred(tensor, runner.symbols.get(tensor.name, ()), sizes)
    bytes_ = sum(math.prod(shape) * DTYPES[signature[name].datatype].itemsize for name, shape in shapes.items())
    if bytes_ > MAX_INPUT_BYTES:
        came, expected = f"inputs of {bytes_:,} bytes", f"at most {MAX_INPUT_BYTES:,}"
        raise InvalidRequest(f"shapes: got {came}, expected {expected}", field="shapes")
    return shapes


def _checked(tensor: MetadataTensor, shape: Sequence[int]) -> tuple[int, ...]:
    fits = len(shape) == len(tensor.shape) and all(
        fixed in (-1, size) for fixed, size in zip(tensor.shape, shape, strict=True)
    )
    if not fits:
        raise _wrong(tensor.name, list(shape), f"{list(tensor.shape)} (-1: any size)")
    return tuple(shape)


def _inferred(tensor: MetadataTensor, symbols: Sequence[str | None], sizes: Mapping[str, int]) -> tuple[int, ...]:
    names = symbols or [None] * len(tensor.shape)
    shape = tuple(
        sizes.get(symbol or "", -1) if fixed == -1 else fixed for fixed, symbol in zip(tensor.shape, names, strict=True)
    )
    if -1 in shape:
        raise _wrong(tensor.name, "no shape", f"sizes for {list(tensor.shape)}")
    return shape


def _wrong(name: str, came: object, expected: str) -> InvalidRequest:
    return InvalidRequest(f"shapes.{name}: got {came}, expected {expected}", field=f"shapes.{name}")


def _first_run(runner: ServedModel, shapes: Shapes, end: float) -> tuple[dict[str, Array], float]:
    """Inputs that the model takes, and the milliseconds of a run with them. Raises RunFailed, DeadlineExceeded."""
    failure = None
    for inputs in _generated(runner, shapes):
        try:
            return inputs, _run_ms(runner, inputs, end)
        except RunFailed as error:
            failure = failure or error
    assert failure
    raise failure


def _generated(runner: ServedModel, shapes: Shapes) -> Iterator[dict[str, Array]]:
    inputs = [tensor for tensor in runner.inputs if tensor.name in shapes]
    for fill in fills(inputs):
        yield Trial(shapes, fill).arrays(inputs)


def _run_ms(runner: ServedModel, inputs: Mapping[str, Array], end: float) -> float:
    started = time.perf_counter()
    runner.run(inputs, deadline=end, punctual=True)
    return (time.perf_counter() - started) * 1000
