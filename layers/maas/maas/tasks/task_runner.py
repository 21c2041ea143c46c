"""A graph behind the two steps of its task: what the data plane runs for a version with a task."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from maas.errors import InvalidRequest
from maas.serving.runner import Runner
from maas.serving.served_model import ServedModel
from maas.tasks.options import Options
from maas.tasks.steps import Steps
from maas.tasks.text_graph import Array

RAW = "raw"


class TaskRunner:
    """Takes texts or images and gives the task's answers; `raw` is the graph."""

    symbols: Mapping[str, Sequence[str | None]] = {}
    declared_without_rows: frozenset[str] = frozenset()
    map_keys: Mapping[str, str] = {}

    def __init__(self, name: str, raw: Runner, steps: Steps, parameters: Mapping[str, Any] | None = None) -> None:
        self.name, self.raw, self.steps = name, raw, steps
        self._parameters = parameters or {}
        self.inputs, self.outputs, self.labels = steps.inputs, steps.outputs, steps.labels
        self.datatypes = {tensor.name: tensor.datatype for tensor in steps.outputs}
        self.output_names = list(self.datatypes)
        self.row_outputs = frozenset(self.output_names)

    def asked(self, parameters: Mapping[str, Any]) -> ServedModel:
        """The graph alone for `task: raw`, else this task with these options. Raises InvalidRequest."""
        task = parameters.get("task")
        if task == RAW:
            return self.raw
        if task not in (None, self.name):
            expected = f"'{RAW}' for the tensors of the graph, or '{self.name}'"
            raise InvalidRequest(f"parameters.task: got {task!r:.80}, expected {expected}", field="parameters.task")
        return self._with(parameters) if parameters else self

    def _with(self, parameters: Mapping[str, Any]) -> Self:
        return type(self)(self.name, self.raw, self.steps, parameters)

    def run(
        self,
        inputs: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        punctual: bool = False,
    ) -> list[Array]:
        """As `Runner.run`. Raises InvalidRequest too, for texts and images that the task cannot read."""

        def call(feeds: Mapping[str, Array], names: Sequence[str]) -> list[Array]:
            return self.raw.run(feeds, names, deadline, punctual=punctual)

        found = self.steps.run(inputs, Options(self._parameters), call)
        return [found[name] for name in (self.output_names if outputs is None else outputs)]
