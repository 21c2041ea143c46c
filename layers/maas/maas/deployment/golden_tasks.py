"""Test vectors of a task, `golden/*.json` with an `input` and the task's outputs by name.

    {"input": "a text", "embedding": [0.1, …]}
    {"input": ["a", "b"], "query": "which?", "score": [0.9, 0.2]}

The input is text, or an image in base64; `options` may hold those of a request.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maas.deployment.golden import is_of_task
from maas.errors import MaasError, ModelRejected
from maas.records import MetadataTensor
from maas.serving import tensors
from maas.serving.comparison import differs
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput
from maas.tasks.task_runner import TaskRunner

INPUT, OPTIONS = "input", "options"


def check(runner: TaskRunner | None, folder: Path, rtol: float, atol: float) -> int:
    """The number of such vectors in the folder, all matched. Raises ModelRejected."""
    count = 0
    for name, document in documents(folder):
        if runner is None:
            raise ModelRejected(f"{name} has an input for a task, but the version has none: name it with --task")
        try:
            came, wanted = _outputs(runner, document), _wanted(runner, document)
        except MaasError as error:
            raise ModelRejected(f"{name}: {error.message}") from None
        for output, expected in wanted.items():
            if reason := differs(f"output '{output}'", came[output], expected, rtol, atol):
                raise ModelRejected(f"{name}: {reason}")
        count += 1
    return count


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of this kind, by name."""
    for path in sorted(folder.rglob("*.json")):
        if is_of_task(path):
            yield path.relative_to(folder).as_posix(), json.loads(path.read_bytes())


def _outputs(runner: TaskRunner, document: Mapping[str, Any]) -> dict[str, Array]:
    texts = document[INPUT] if isinstance(document[INPUT], list) else [document[INPUT]]
    given = {tensor.name: texts for tensor in runner.inputs[-1:]}
    for tensor in runner.inputs[:-1]:  # the query
        value = document.get(tensor.name)
        given[tensor.name] = value if isinstance(value, list) else [value]
    requests = [RequestInput(name, "BYTES", (len(data),), data) for name, data in given.items()]
    model = runner.asked(document.get(OPTIONS) or {})
    arrays = model.run(tensors.decode(requests, runner.inputs))
    return dict(zip(model.output_names, arrays, strict=True))


def _wanted(runner: TaskRunner, document: Mapping[str, Any]) -> dict[str, Array]:
    known = {tensor.name: tensor for tensor in runner.outputs}
    found = {name: _array(known[name], value) for name, value in document.items() if name in known}
    if not found:
        raise ModelRejected(f"it has none of the outputs {sorted(known)}")
    return found


def _array(tensor: MetadataTensor, value: Any) -> Array:
    """Of one input or of several: the first axis may be left out."""
    try:
        array = np.array(value, DTYPES[tensor.datatype])
    except (ValueError, TypeError):
        raise ModelRejected(f"'{tensor.name}' is no array of {tensor.datatype}") from None
    return array[np.newaxis] if array.ndim == len(tensor.shape) - 1 else array
