"""A graph behind the two steps of its task: what the data plane runs for a version with a task."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from maas.serving.datatypes import Array
from maas.serving.runner import Runner
from maas.serving.served_model import ServedModel, wants_graph
from maas.tasks.limits import TaskLimits, TextTooLong, slices
from maas.tasks.options import Options
from maas.tasks.steps import QUERY, TEXT, TOKENS, Steps
from maas.tasks.text_graph import Call


class TaskRunner:
    """Takes texts or images and gives the task's answers; `raw` is the graph."""

    symbols: Mapping[str, Sequence[str | None]] = {}
    declared_without_rows: frozenset[str] = frozenset()
    map_keys: Mapping[str, str] = {}

    def __init__(
        self, name: str, raw: Runner, steps: Steps, limits: TaskLimits, parameters: Mapping[str, Any] | None = None
    ) -> None:
        self.name, self.raw, self.steps, self.limits = name, raw, steps, limits
        self._parameters = parameters or {}
        self.inputs, self.outputs, self.labels = steps.inputs, steps.outputs, steps.labels
        self.datatypes = {tensor.name: tensor.datatype for tensor in steps.outputs}
        self.output_names = list(self.datatypes)
        self.row_outputs = frozenset(self.output_names)

    def asked(self, parameters: Mapping[str, Any]) -> ServedModel:
        """The graph alone for `task: raw`, else this task with these options. Raises InvalidRequest."""
        if wants_graph(parameters, self.name):
            return self.raw
        return self._with(parameters) if parameters else self

    def _with(self, parameters: Mapping[str, Any]) -> Self:
        return type(self)(self.name, self.raw, self.steps, self.limits, parameters)

    def run(
        self,
        inputs: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        punctual: bool = False,
    ) -> list[Array]:
        """As `Runner.run`. Raises InvalidRequest too, for texts and images that the task cannot read; TooLarge."""

        def call(feeds: Mapping[str, Array], names: Sequence[str]) -> list[Array]:
            return self.raw.run(feeds, names, deadline, punctual=punctual)

        options = Options(self._parameters)
        found = self._in_slices(inputs, options, call) if TEXT in inputs else self.steps.run(inputs, options, call)
        return [found[name] for name in (self.output_names if outputs is None else outputs)]

    def _in_slices(self, inputs: Mapping[str, Array], options: Options, call: Call) -> Mapping[str, Array]:
        """Runs so many texts together as fit into memory with their tokens."""
        texts = inputs[TEXT].tolist()
        bounds = [(0, len(texts))]
        if not options.flag("token_ids"):
            self.limits.check_texts(inputs[QUERY].tolist() if QUERY in inputs else [])
            self.limits.check_texts(texts)
            bounds = list(slices(texts))
        parts, tokens = [], 0
        for start, end in bounds:
            rows = {name: array[start:end] if len(array) == len(texts) else array for name, array in inputs.items()}
            try:
                parts.append(self.steps.run(rows, options, call))
            except TextTooLong as error:
                raise error.moved(start if error.what == TEXT else 0) from None
            tokens += int(parts[-1][TOKENS].sum())
            self.limits.check_tokens(tokens)
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
