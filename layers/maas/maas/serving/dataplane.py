"""One inference as a straight line: decode, resolve, get the runner, run, encode. HTTP and batch both call it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from maas.errors import InvalidRequest
from maas.records import ModelVersion, Quantized, RegisteredModel
from maas.registry import Registry
from maas.serving import oip, tensors
from maas.serving.classification import classified
from maas.serving.datatypes import Array
from maas.serving.oip import InferenceRequest, RequestedOutput
from maas.serving.oip_reply import OutputTensor, Reply, check_size, reply
from maas.serving.runner_cache import RunnerCache
from maas.serving.served_model import ServedModel
from maas.serving.statistics import Statistics
from maas.serving.traffic import Resolved, Sender, TrafficCache
from maas.telemetry.stages import Stage

US_PER_SECOND = 1_000_000
PAGE = 100
T = TypeVar("T")
Decode = Callable[[ServedModel], Mapping[str, Array]]


class Prediction(NamedTuple):
    version: ModelVersion
    runner: ServedModel
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


Sampler = Callable[[Resolved, Mapping[str, Any], Prediction], None]


class DataPlane:
    """`sampler` gets each answered request of an alias that has samples, with its parameters; it must not wait."""

    def __init__(
        self,
        registry: Registry,
        runners: RunnerCache,
        resolve_ttl_seconds: float,
        sampler: Sampler | None = None,
    ) -> None:
        self._registry, self._runners, self._sampler = registry, runners, sampler
        self._traffic = TrafficCache(registry, resolve_ttl_seconds)
        self.statistics = Statistics()

    def infer(
        self,
        model: str,
        reference: str | None,
        body: bytes,
        header_length: str | None = None,
        deadline: float | None = None,
        max_bytes: int | None = None,
        sender: Sender | None = None,
    ) -> Reply:
        """The answer to an inference request. `reference` is a version number, an alias or None; see `resolve`.

        `header_length` is the value of the header HEADER_LENGTH; the call ends before `deadline`, of time.monotonic. An
        answer that certainly has more than `max_bytes` is not encoded. Raises InvalidRequest, InvalidTensor, NotFound,
        NotReady, RunFailed, DeadlineExceeded, InsufficientStorage, AnswerTooLarge.
        """
        started, measured = time.monotonic(), Stage.start()
        request = oip.parse_request(body, header_length)
        resolved = self.resolve(model, reference, sender)
        version = resolved.version
        with self.statistics.measure(resolved, measured):
            deadline = _earlier(deadline, started, request.timeout_us)
            measured.reached("queue")
            quantized = _quantized(version, request.variant)
            runner = self._loaded(version, measured, deadline, quantized).asked(request.parameters)
            inputs = _decoded(request, runner)
            asked = _asked(request, runner)
            measured.rows = _rows(inputs, runner)
            measured.reached("compute_input")
            names = runner.output_names if request.outputs is None else [output.name for output in asked]
            arrays = runner.run(inputs, names, deadline, punctual=request.timeout_us > 0)
            measured.reached("compute_infer")
            outputs = _output_tensors(request, asked, arrays, runner)
            answer = reply(version, request.id, outputs, request.variant, max_bytes)
            measured.reached("compute_output")
        if resolved.samples is not None and self._sampler is not None:
            answered = Prediction(version, runner, inputs, dict(zip(names, arrays, strict=True)))
            self._sampler(resolved, request.parameters, answered)
        return answer

    def predict(
        self,
        resolved: Resolved,
        decode: Decode,
        deadline: float | None = None,
        max_bytes: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        names: Sequence[str] | None = None,
    ) -> Prediction:
        """The outputs `names`, or all, for protocols that encode tensors differently, as text. Raises as `infer` does.

        `parameters` are as in a request of the protocol: `variant`, and options of the version's task.
        """
        measured, version, options = Stage.start(), resolved.version, parameters or {}
        with self.statistics.measure(resolved, measured):
            measured.reached("queue")
            quantized = _quantized(version, oip.variant_of(options))
            runner = self._loaded(version, measured, deadline, quantized).asked(options)
            inputs = decode(runner)
            measured.rows = _rows(inputs, runner)
            measured.reached("compute_input")
            asked = runner.output_names if names is None else names
            outputs = dict(zip(asked, runner.run(inputs, asked, deadline), strict=True))
            measured.reached("compute_infer")
            if max_bytes is not None:
                datatypes = runner.datatypes
                shown = (OutputTensor(name, datatypes[name], outputs[name]) for name in asked if name in datatypes)
                check_size(shown, max_bytes)
        answered = Prediction(version, runner, inputs, outputs)
        if resolved.samples is not None and self._sampler is not None:
            self._sampler(resolved, options, answered)
        return answered

    def resolve(self, model: str, reference: str | None, sender: Sender | None = None) -> Resolved:
        """The READY version that answers this sender, at most `resolve_ttl_seconds` after the registry's state.

        Without a sender, the one with the most weight. Raises NotFound, Gone, NotReady.
        """
        return self._traffic.get(model, reference).pick(sender)

    def _loaded(
        self, version: ModelVersion, measured: Stage, deadline: float | None, quantized: Quantized | None = None
    ) -> ServedModel:
        runner = self._runners.loaded(version, quantized)
        if runner is None:
            measured.cold = True
            runner = self._runners.get(version, deadline, quantized)
        measured.reached("load")
        return runner

    def runner(
        self, resolved: Resolved, deadline: float | None = None, parameters: Mapping[str, Any] | None = None
    ) -> ServedModel:
        """The loaded model as `parameters` ask for it, which are as of `predict`. Raises as `infer` does."""
        version, options = resolved.version, parameters or {}
        return self._runners.get(version, deadline, _quantized(version, oip.variant_of(options))).asked(options)

    def models(self) -> Iterator[RegisteredModel]:
        """All models that are not deleted, by name."""
        return _pages(self._registry.models.page)

    def versions(self, includes: Callable[[str], bool]) -> Iterator[ModelVersion]:
        """The versions of all models whose names `includes` accepts: by model, newest first."""
        for model in filter(lambda one: includes(one.name), self.models()):
            yield from _pages(partial(self._registry.versions.page, model.name))

    def load(self, model: str, reference: str | None, deadline: float | None = None) -> ModelVersion:
        """Loads every version that the reference leads to into this environment; returns the one with the most weight.

        Raises as `infer` does.
        """
        self._traffic.forget(model, reference)
        for resolved in self._traffic.get(model, reference).all:
            self._runners.get(resolved.version, deadline)
        return self.resolve(model, reference).version

    def unload(self, model: str) -> None:
        """Drops the model's versions from this environment's memory; the next request loads again. Raises NotFound."""
        self._registry.models.get(model)
        self._runners.drop(model)


def _pages(page: Callable[[int, str | None], tuple[list[T], str | None]]) -> Iterator[T]:
    items, after = page(PAGE, None)
    yield from items
    while after is not None:
        items, after = page(PAGE, after)
        yield from items


def _earlier(deadline: float | None, started: float, timeout_us: int) -> float | None:
    if not timeout_us:
        return deadline
    own = started + timeout_us / US_PER_SECOND
    return own if deadline is None else min(deadline, own)


def _quantized(version: ModelVersion, variant: str | None) -> Quantized | None:
    """The requested form of the version. Raises InvalidRequest, which names the available ones."""
    if variant is None:
        return None
    found = version.quantized
    if found and found.files and variant == found.scheme:
        return found
    which = f"version {version.number} of model '{version.model}'"
    if found is None:
        available = f"no variant: {which} was pushed without --quantize"
    elif found.files:
        available = f"'{found.scheme}' or no variant for {which}"
    else:
        available = f"no variant: '{found.scheme}' of {which} was not kept: {found.reason}"
    raise InvalidRequest(f"parameters.variant: got '{variant:.80}', expected {available}", field="parameters.variant")


def _rows(inputs: Mapping[str, Array], runner: ServedModel) -> int:
    """The longest first dimension of the inputs whose first dimension is variable; 1 if there is none."""
    rows = 1
    for tensor in runner.inputs:
        if tensor.shape[:1] == (-1,) and tensor.name in inputs:
            rows = max(rows, len(inputs[tensor.name]))
    return rows


def _decoded(request: InferenceRequest, runner: ServedModel) -> Mapping[str, Array]:
    if request.raw is not None:
        arrays = tensors.raw_input(request.raw, runner.inputs)
        tensors.check_symbols(arrays, runner.symbols)
        return arrays
    return tensors.decode(request.inputs, runner.inputs, runner.symbols)


def _asked(request: InferenceRequest, runner: ServedModel) -> Sequence[RequestedOutput]:
    if request.outputs is None:
        return [RequestedOutput(name) for name in runner.output_names]
    for output in request.outputs:
        if output.name not in runner.datatypes:
            expected = f"one of {runner.output_names}"
            raise InvalidRequest(f"outputs: got '{output.name}', expected {expected}", field="outputs")
    return request.outputs


def _output_tensors(
    request: InferenceRequest, asked: Sequence[RequestedOutput], arrays: Sequence[Array], runner: ServedModel
) -> list[OutputTensor]:
    tensors_ = []
    for output, array in zip(asked, arrays, strict=True):
        datatype = runner.datatypes[output.name]
        binary = request.binary_output if output.binary is None else output.binary
        if output.classification:
            array, datatype = classified(output.name, datatype, array, output.classification, runner.labels), "BYTES"
        tensors_.append(OutputTensor(output.name, datatype, array, binary))
    return tensors_
