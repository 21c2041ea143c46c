"""A loaded model: its signature, and how it runs."""

import ctypes
import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from maas.errors import ModelRejected, RunFailed
from maas.records import LABELS_NAME, MetadataTensor
from maas.serving import graph_outputs, memory
from maas.serving.datatypes import Array
from maas.serving.deadlines import run_here_until, run_until
from maas.serving.dimensions import symbol_of
from maas.serving.graph_outputs import ServedOutput
from maas.serving.messages import plain_message
from maas.serving.served_model import wants_graph
from maas.serving.sessions import load_failure, session, session_options

_BFLOAT16 = 16  # of TensorProto.DataType, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_INPUT = re.compile(r"(optional\()?tensor\((\w+)\)+")
_MUCH_MEMORY_SECONDS = 0.05  # a run that takes much memory takes longer
_SLOW_SECONDS = 0.5  # a run that takes longer may take longer yet with other inputs


class Runner:
    """A loaded model. Several threads may call `run` at once (guaranteed by onnxruntime).

    `datatypes` and `output_names` are those of the outputs. `labels` are the lines of `labels.txt` beside the model,
    the names of its classes; None without that file.
    `symbols` has the names of each input's dimensions, None for a fixed one and for one whose name is a placeholder.
    `row_outputs` are the outputs that can have one entry per row: all but the keys of maps. `declared_without_rows` are
    those whose first axis is something else by their declared shape, such as time. `map_keys` names the
    output with the keys for each output that holds the values of one map per row.
    """

    def __init__(
        self, path: Path, threads: int, *, prepared: bool = False, outputs: Sequence[MetadataTensor] | None = None
    ) -> None:
        """Loads from a path, which takes less memory than from bytes.

        `prepared`: the file is of `model_optimization.write_prepared`, for this onnxruntime and CPU. `outputs` have the
        shapes that the smoke run gave; None: as the graph declares them. Raises ModelRejected if onnxruntime refuses
        the file or the protocol cannot carry an input or output.
        """
        started = time.perf_counter()
        options = session_options(threads)
        if prepared:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session = session(path, options)
        except Exception as error:
            raise ModelRejected(load_failure(error, path)) from error
        self.load_ms = (time.perf_counter() - started) * 1000
        self._longest_seconds = math.inf  # of a run: unknown before the first
        try:
            self._read_signature()
        except UnicodeDecodeError:
            raise ModelRejected(
                "names of inputs, outputs or dimensions are not UTF-8: export the model again"
            ) from None
        if outputs is not None:
            self.outputs = tuple(outputs)
        self.datatypes = {tensor.name: tensor.datatype for tensor in self.outputs}
        self.output_names = list(self.datatypes)
        self.labels = _labels(path.parent / LABELS_NAME)

    def _read_signature(self) -> None:
        nodes = self._session.get_inputs()
        defaults = self._session.get_overridable_initializers()
        self.inputs = (*(_input(node) for node in nodes), *(_input(node, optional=True) for node in defaults))
        self.symbols = {node.name: [symbol_of(dimension) for dimension in node.shape] for node in nodes}
        served = [one for node in self._session.get_outputs() for one in _outputs(node)]
        self._served = {one.tensor.name: one for one in served}
        _check_distinct([one.tensor.name for one in served])
        self.outputs = tuple(one.tensor for one in self._served.values())
        without_rows = {node.name for node in self._session.get_outputs() if not _may_have_rows(node.shape, nodes)}
        self.row_outputs = frozenset(name for name, one in self._served.items() if not one.is_keys)
        self.declared_without_rows = frozenset(name for name, one in self._served.items() if one.source in without_rows)
        self.map_keys = {name: one.keys for name, one in self._served.items() if one.keys}
        self._is_plain = all(one.convert is None for one in self._served.values())
        datatypes = {tensor.datatype for tensor in (*self.inputs, *self.outputs)}
        self._has_bf16 = "BF16" in datatypes
        if self._has_bf16 and "BYTES" in datatypes:
            raise ModelRejected(
                "inputs or outputs of bfloat16 and of strings in one model, which onnxruntime cannot run"
            )

    def asked(self, parameters: Mapping[str, Any]) -> "Runner":
        """Itself, which has no task. Raises InvalidRequest for the name of one."""
        wants_graph(parameters, None)
        return self

    def run(
        self,
        inputs: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        punctual: bool = False,
    ) -> list[Array]:
        """The named outputs (all if None) in order, each an array of the datatype that the signature declares.

        `deadline` is of time.monotonic. `punctual` returns then even if an operator takes longer, for 10 µs; so do the
        first run, and all runs of a model that was slow once. Raises RunFailed with onnxruntime's reason, such as a
        shape that does not fit the graph; DeadlineExceeded.
        """
        names = self.output_names if outputs is None else outputs
        sources = names if self._is_plain else list(dict.fromkeys(self._served[name].source for name in names))
        options = ort.RunOptions()
        call = partial(self._values, sources, inputs, options)
        if deadline is None:
            values = call()
        else:
            limited = run_until if punctual or self._longest_seconds > _SLOW_SECONDS else run_here_until
            values = limited(deadline, call, lambda: setattr(options, "terminate", True), "the model ran")
        if self._is_plain:
            return values
        found = dict(zip(sources, values, strict=True))
        return [_converted(self._served[name], found) for name in names]

    def _values(self, sources: Sequence[str], inputs: Mapping[str, Array], options: ort.RunOptions) -> list[Any]:
        started = time.monotonic()
        run = self._run_ort_values if self._has_bf16 else self._session.run
        try:
            values: list[Any] = run(sources, inputs, options)
        except Exception as error:
            given_back = memory.give_back()
            if not (given_back and memory.was_short(error)):
                raise _failed(error, inputs) from error
            try:  # what earlier requests left was what this run lacked, perhaps
                values = run(sources, inputs, options)
            except Exception as again:
                memory.give_back()
                raise _failed(again, inputs) from again
        finally:
            seconds = time.monotonic() - started
            self._longest_seconds = max(seconds, 0 if self._longest_seconds == math.inf else self._longest_seconds)
        if seconds > _MUCH_MEMORY_SECONDS:
            memory.give_back()
        return values

    def _run_ort_values(
        self, sources: Sequence[str], inputs: Mapping[str, Array], options: ort.RunOptions
    ) -> list[Any]:
        """Runs a model with BF16 inputs or outputs, as arrays of their bits: NumPy has no bfloat16."""
        bf16 = {tensor.name for tensor in self.inputs if tensor.datatype == "BF16"}
        feeds = {
            name: ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.ascontiguousarray(array), _BFLOAT16)
            if name in bf16
            else ort.OrtValue.ortvalue_from_numpy(array)
            for name, array in inputs.items()
        }
        return [_array(value) for value in self._session.run_with_ort_values(sources, feeds, options)]


def _may_have_rows(shape: Sequence[Any], inputs: Sequence[Any]) -> bool:
    """Whether an output of this declared shape can have an entry per row, where rows are the inputs' first axis.

    Not if its first dimension is the name of another axis of the inputs, or a number where the inputs' is variable. A
    first dimension of 1 says nothing: converters declare `[1]` for a label per row.
    """
    if not shape:
        return True
    first = {symbol_of(node.shape[0]) for node in inputs if node.shape}
    others = {symbol_of(dimension) for node in inputs for dimension in node.shape[1:]}
    if isinstance(shape[0], int):
        return shape[0] == 1 or not all(isinstance(node.shape[0], str | None) for node in inputs if node.shape)
    name = symbol_of(shape[0])
    return name is None or name in first or name not in others


def _failed(error: Exception, inputs: Mapping[str, Array]) -> RunFailed:
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in inputs.items())
    advice = "they need more memory than this function has, fewer rows need less: " if memory.was_short(error) else ""
    return RunFailed(f"onnxruntime cannot run these inputs, {shapes:.300}: {advice}{plain_message(error)}")


def _array(value: ort.OrtValue) -> Any:
    if value.data_type() != "tensor(bfloat16)":
        return value.numpy()
    shape = value.shape()
    bits = np.empty(shape, np.uint16)
    ctypes.memmove(bits.ctypes.data, value.data_ptr(), bits.nbytes)
    return bits


def _converted(served: ServedOutput, found: Mapping[str, Any]) -> Array:
    value = found[served.source]
    return served.convert(value) if served.convert else value


def _check_distinct(names: Sequence[str]) -> None:
    """onnxruntime loads a graph with an output twice; the keys of a map may be named as another output is."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ModelRejected(f"more than one output is named '{twice[0]:.200}': export the model with distinct names")


def _input(node: Any, optional: bool = False) -> MetadataTensor:
    found = _INPUT.fullmatch(node.type)
    if found is None:
        raise ModelRejected(f"input '{node.name}' is a {node.type}, which the Open Inference Protocol cannot carry")
    datatype = graph_outputs.datatype_of(found[2], f"input '{node.name}'")
    return MetadataTensor(node.name, datatype, _shape(node), optional or found[1] is not None)


def _outputs(node: Any) -> list[ServedOutput]:
    return graph_outputs.served(node.name, node.type, _shape(node))


def _shape(node: Any) -> tuple[int, ...]:
    return tuple(dimension if type(dimension) is int and dimension >= 0 else -1 for dimension in node.shape)


def _labels(path: Path) -> tuple[str, ...] | None:
    if not path.is_file():
        return None
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelRejected(f"{path.name} is not UTF-8 text ({error}): save it as UTF-8 and push again") from None
    return tuple(text.removesuffix("\n").split("\n"))  # not splitlines, which splits at other characters too
