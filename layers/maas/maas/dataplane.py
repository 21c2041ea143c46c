"""One inference, as a straight line: decode, resolve, get the runner, run, encode. HTTP and batch both call it."""

import time
from typing import Any

from maas import oip, tensors
from maas.errors import InvalidRequest
from maas.records import ModelVersion
from maas.registry import Registry
from maas.runner import Runner
from maas.runner_cache import RunnerCache


class DataPlane:
    def __init__(self, registry: Registry, runners: RunnerCache, resolve_ttl_seconds: float) -> None:
        self._registry, self._runners, self._ttl = registry, runners, resolve_ttl_seconds
        self._resolved: dict[tuple[str, str | None], tuple[float, ModelVersion]] = {}

    def infer(self, model: str, reference: str | None, body: bytes) -> bytes:
        """An inference request's JSON body to the response's. `reference` is a version number, an alias or None.

        Raises InvalidRequest, InvalidTensor, NotFound, NotReady, RunFailed, InsufficientStorage.
        """
        request = oip.parse_request(body)
        version = self.resolve(model, reference)
        runner = self._runners.get(version)
        inputs = tensors.decode(request.inputs, runner.inputs)
        names = _selected(request.outputs, runner)
        arrays = runner.run(inputs, names)
        datatypes = {tensor.name: tensor.datatype for tensor in runner.outputs}
        outputs = [(name, datatypes[name], array) for name, array in zip(names, arrays, strict=True)]
        return oip.response(version, request.id, outputs)

    def resolve(self, model: str, reference: str | None) -> ModelVersion:
        """The READY version meant, as the registry said within `resolve_ttl_seconds`. Raises NotFound, NotReady."""
        key, now = (model, reference), time.monotonic()
        resolved_at, version = self._resolved.get(key, (0.0, None))
        if version is None or now - resolved_at > self._ttl:
            self._resolved.pop(key, None)
            version = self._registry.resolve(model, reference)
            if len(self._resolved) >= 1000:  # references are the callers' words: never keep them without bound
                self._resolved.clear()
            self._resolved[key] = (now, version)
        return version

    def metadata(self, model: str, reference: str | None) -> dict[str, Any]:
        """Raises NotFound, NotReady."""
        version = self.resolve(model, reference)
        return oip.model_metadata(version, [version.number])


def _selected(names: tuple[str, ...] | None, runner: Runner) -> list[str]:
    available = [tensor.name for tensor in runner.outputs]
    if names is None:
        return available
    for name in names:
        if name not in available:
            raise InvalidRequest(f"outputs: got '{name}', expected one of {available}", field="outputs")
    return list(names)
