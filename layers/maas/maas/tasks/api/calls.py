"""What the routes have in common: the model that a request names, its body, and the run of its task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.serving.dataplane import DataPlane, Prediction
from maas.serving.datatypes import Array
from maas.serving.oip import kind_of, read_json
from maas.serving.traffic import Resolved, Sender
from maas.tasks.steps import TOKENS
from maas.tasks.task_runner import TaskRunner
from maas.telemetry.observation import concerns

Inputs = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `model` is of the path, if it is there; `check` raises NotAllowed for a model.

    `deadline` is of time.monotonic, `max_bytes` of the answer.
    """

    plane: DataPlane
    body: bytes
    sender: Sender
    check: Callable[[str], None]
    model: str | None = None
    deadline: float | None = None
    max_bytes: int | None = None

    def document(self) -> dict[str, Any]:
        """Raises InvalidRequest, TooLarge."""
        document = read_json(self.body, words=False)  # a missing value that pandas writes as NaN is no text
        if not isinstance(document, dict):
            raise InvalidRequest(f"body: got {kind_of(document)}, expected an object", field="body")
        return document

    def run(self, resolved: Resolved, inputs: Inputs, options: Mapping[str, Any], outputs: Sequence[str]) -> Prediction:
        """The run of the version's task; its outputs have the tokens of each row too. Raises as `DataPlane.predict`."""
        given = {key: _objects(values) for key, values in inputs.items()}
        names = [*outputs, TOKENS] if "text" in inputs else outputs
        return self.plane.predict(resolved, lambda _: given, self.deadline, self.max_bytes, options, names=names)

    def runner(self, model: str) -> TaskRunner:
        """The loaded model. Raises InvalidRequest for one without a task on text."""
        resolved = self._resolved(model)
        concerns(resolved.version, resolved.alias)
        runner = self.plane.runner(resolved, self.deadline)
        if not isinstance(runner, TaskRunner) or runner.steps.texts is None:
            came = f"the task {runner.name}" if isinstance(runner, TaskRunner) else "no task"
            name = resolved.version.model
            raise InvalidRequest(f"model: '{name}' has {came}, expected one that takes text", field="model")
        return runner

    def version_for(self, model: str, tasks: Sequence[str]) -> Resolved:
        """The version that answers, whose task is one of `tasks`. `model` is `name`, `name@alias` or `name@3`.

        To be asked once a request: a second call may pick another version. Raises NotAllowed, InvalidRequest.
        """
        resolved = self._resolved(model)
        name, task = resolved.version.model, resolved.version.task
        if task is None or task.name not in tasks:
            came = f"the task {task.name}" if task else "no task"
            expected = f"a model with the task {' or '.join(tasks)}"
            raise InvalidRequest(f"model: '{name}' has {came}, expected {expected}", field="model")
        return resolved

    def _resolved(self, model: str) -> Resolved:
        name, at, reference = model.partition("@")
        self.check(name)
        if at and not reference:
            raise InvalidRequest(f"model: got {model!r:.80}, expected NAME, NAME@ALIAS or NAME@VERSION", field="model")
        return self.plane.resolve(name, reference or None, self.sender)


def _objects(values: Sequence[Any]) -> Array:
    """A flat array of these, of which lists too are single elements."""
    array = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        array[index] = value
    return array


def named(document: Mapping[str, Any]) -> str:
    """The model that the body names. Raises InvalidRequest."""
    return text(document, "model")


def text(document: Mapping[str, Any], field: str) -> str:
    value = document.get(field)
    if type(value) is not str or not value:
        came = "an empty string" if value == "" else kind_of(value)
        raise InvalidRequest(f"{field}: got {came}, expected text", field=field)
    return value


def texts(document: Mapping[str, Any], field: str) -> list[str]:
    """One text or an array of at least one. Raises InvalidRequest."""
    value = document.get(field)
    if type(value) is str:
        return [value]
    if type(value) is not list or not value:
        came = "an empty array" if value == [] else kind_of(value)
        raise InvalidRequest(f"{field}: got {came}, expected text or an array of texts", field=field)
    for index, one in enumerate(value):
        if type(one) is not str:
            raise InvalidRequest(f"{field}[{index}]: got {kind_of(one)}, expected text", field=field)
    return value


def options(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Options of the task that the body has by these names; null is none."""
    return {name: document[name] for name in names if document.get(name) is not None}
