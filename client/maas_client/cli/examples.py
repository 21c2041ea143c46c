"""Shell commands that call a version with the input that ran at its deployment."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from maas_client.cli.addressing import authorization, server_option
from maas_client.cli.task_examples import task_commands
from maas_client.example_files import NAMES
from maas_client.protocol.tensors import DTYPES
from maas_client.records.inference import MetadataTensor
from maas_client.records.models import ModelVersion

SPELLED_OUT = 16  # values in a command; more are generated
JSON_VALUES = 100_000  # more are too large for a request in JSON
INLINE_BYTES = 4_000_000  # more are too large for one call


def commands_for(version: ModelVersion, url: str, alias: str | None, *, key: bool, source: Path | None) -> list[str]:
    """`maas predict` and curl with one request; none for a version that never ran, or ran with a file not here.

    `source` is the file with the example or test vector that ran, if it is here.
    """
    if version.task:
        return task_commands(version.task, f"{version.model}@{alias or version.version}", url, key=key)
    profile = version.profile
    if not profile or (not source and profile.get("shapes_from", "signature") != "signature"):
        return []
    if profile.get("values", {}) is None:
        return []
    which = alias or str(version.version)
    predict = f"maas predict {quote(f'{version.model}@{which}')}"
    at = server_option(url)
    if source:
        return [f"{predict} --input {quote(str(source))}{at}"]
    inputs = _Inputs(version)
    sender = f"curl -sS {authorization(url, key)}--data-binary @- "
    sender += quote(f"{url}/v2/models/{version.model}/versions/{which}/infer")
    if inputs.count <= SPELLED_OUT:
        request = f"echo {quote(inputs.request())}"
        return [f"{request} | {predict} --input -{at}", f"{request} | {sender}"]
    later = " --large later" if inputs.size_bytes > INLINE_BYTES else ""
    found = [f"{inputs.script(inputs.as_npz())} | {predict} --input -{later}{at}"]
    return found + ([f"{inputs.script(inputs.as_json())} | {sender}"] if inputs.count <= JSON_VALUES else [])


def pushed_source(version: ModelVersion, path: Path, golden: Path | None, example: Path | None) -> Path | None:
    """The file that the version was pushed with and that ran at its deployment."""
    match version.profile.get("shapes_from"):
        case "example":
            inside = (path / name for name in NAMES if (path / name).is_file())
            return example or next(inside, None)
        case "golden":
            folder = golden or path / "golden"
            return next(iter(sorted(folder.rglob("*.json"))), None)
    return None


class _Inputs:
    """The generated input of a version's smoke run, in JSON or as a Python script that makes it again."""

    def __init__(self, version: ModelVersion) -> None:
        shapes: Mapping[str, Sequence[int]] = version.profile.get("shapes", {})
        self._values: Mapping[str, list[Any]] = version.profile.get("values") or {}
        known = [(tensor, list(shapes.get(tensor.name) or _smallest(tensor))) for tensor in version.inputs]
        self._inputs = [(tensor, shape) for tensor, shape in known if not shapes or tensor.name in shapes]
        self.count = sum(prod(shape) for _, shape in self._inputs)
        self.size_bytes = sum(prod(shape) * _dtype(one).itemsize for one, shape in self._inputs)

    def request(self) -> str:
        return json.dumps({"inputs": [self._spelled(*one) for one in self._inputs]}, separators=(",", ":"))

    def script(self, end: str) -> str:
        """A command that runs Python with NumPy: the arrays `a` by name, then `end`.

        Its texts are in double quotes, since the shell's are single.
        """
        arrays = ", ".join(
            f"{json.dumps(tensor.name)}: {self._expression(tensor, shape)}" for tensor, shape in self._inputs
        )
        return f"{_python()} -c {quote(f'import json, sys, numpy as np; a = {{{arrays}}}; {end}')}"

    def as_npz(self) -> str:
        return "np.savez(sys.stdout.buffer, **a)"

    def as_json(self) -> str:
        kinds = {tensor.name: tensor.datatype for tensor, _ in self._inputs}
        one = '{"name": n, "datatype": t, "shape": a[n].shape, "data": a[n].ravel().tolist()}'
        return f'print(json.dumps({{"inputs": [{one} for n, t in {json.dumps(kinds)}.items()]}}))'

    def _spelled(self, tensor: MetadataTensor, shape: list[int]) -> dict[str, Any]:
        if values := self._of(tensor):
            data = [values[index % len(values)] for index in range(prod(shape))]
        else:
            fractions = np.random.default_rng(0).random(shape).astype(_dtype(tensor))
            data = [float(str(one)) for one in fractions.ravel()]
        return {"name": tensor.name, "shape": shape, "datatype": tensor.datatype, "data": data}

    def _expression(self, tensor: MetadataTensor, shape: list[int]) -> str:
        values, size = self._of(tensor), repr(tuple(shape))
        dtype = "str" if tensor.datatype == "BYTES" else str(_dtype(tensor))
        if not values:
            return f'np.random.default_rng(0).random({size}).astype("{dtype}")'
        spelled = json.dumps(values) if dtype == "str" else repr(values)
        return f'np.resize(np.array({spelled}, "{dtype}"), {size})'

    def _of(self, tensor: MetadataTensor) -> list[Any]:
        """What the input holds, again and again; nothing for fractions."""
        known: dict[str, list[Any]] = {"O": ["a"], "b": [False], "f": []}
        return self._values.get(tensor.name) or known.get(_dtype(tensor).kind, [0])


def _smallest(tensor: MetadataTensor) -> list[int]:
    return [1 if dimension == -1 else dimension for dimension in tensor.shape]


def _dtype(tensor: MetadataTensor) -> np.dtype[Any]:
    return DTYPES.get(tensor.datatype, np.dtype(np.float32))  # of BF16, which NumPy lacks


def _python() -> str:
    """This interpreter, which has NumPy: by its name if the shell finds it so."""
    found = shutil.which("python3")
    return "python3" if found and Path(found).parent == Path(sys.executable).parent else quote(sys.executable)
