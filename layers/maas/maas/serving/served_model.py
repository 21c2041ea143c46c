"""What the data plane runs: a graph, or a graph behind the steps of a task."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

RAW = "raw"  # what a request names as task for the tensors of the graph


class ServedModel(Protocol):
    """A loaded model. `maas.serving.runner.Runner` says what each part means."""

    @property
    def inputs(self) -> tuple[MetadataTensor, ...]: ...
    @property
    def outputs(self) -> tuple[MetadataTensor, ...]: ...
    @property
    def datatypes(self) -> Mapping[str, str]: ...
    @property
    def output_names(self) -> Sequence[str]: ...
    @property
    def symbols(self) -> Mapping[str, Sequence[str | None]]: ...
    @property
    def labels(self) -> tuple[str, ...] | None: ...
    @property
    def row_outputs(self) -> frozenset[str]: ...
    @property
    def declared_without_rows(self) -> frozenset[str]: ...
    @property
    def map_keys(self) -> Mapping[str, str]: ...

    def asked(self, parameters: Mapping[str, Any]) -> "ServedModel":
        """The model as a request's parameters ask for it: they are options of its task. Raises InvalidRequest."""
        ...

    def run(
        self,
        inputs: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        punctual: bool = False,
    ) -> list[Array]: ...


def wants_graph(parameters: Mapping[str, Any], task: str | None) -> bool:
    """Whether a request to a model with this task, or none, is for the graph. Raises InvalidRequest for another one."""
    asked = parameters.get("task")
    if asked is None:
        return task is None
    if type(asked) is str and asked in (RAW, task):
        return asked == RAW
    has = "no task: expected a model with it, or none to run the graph"
    if task:
        has = f"the task {task}: expected that, or 'raw' for the tensors of its graph"
    came = f"{asked!r:.80}" if isinstance(asked, str | int | float) else "no text"
    raise InvalidRequest(f"parameters.task: got {came}, but the model has {has}", field="parameters.task")
