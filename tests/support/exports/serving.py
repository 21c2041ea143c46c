"""The inference function over exports on disk, each a model with its task found as at deployment."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

from maas.errors import NotFound
from maas.records import ModelFile, ModelVersion, Status
from maas.serving.dataplane import DataPlane
from maas.serving.runner import Runner
from maas.serving.runner_cache import RunnerCache
from maas.tasks.limits import TaskLimits
from maas.tasks.loading import root_of, task_runner
from maas.tasks.recognition import recognized
from support import wire
from support.exports import small
from support.exports.small import Files

CREATED = "2026-01-02T03:04:05Z"


class Exports:
    """A registry of exports: each model has one READY version, 1, with an alias `prod`."""

    def __init__(self, exports: dict[str, Files], folder: Path) -> None:
        self.paths = {name: small.written(files, folder / name) for name, files in exports.items()}
        self._versions = {name: self._version(name, path) for name, path in self.paths.items()}

    def _version(self, name: str, path: Path) -> ModelVersion:
        raw = Runner(path, threads=1)
        found = recognized(path, raw, None)
        assert found.task and found.runner
        task = replace(found.task, raw_outputs=raw.outputs)
        version = ModelVersion(name, 1, Status.READY, (ModelFile("model.onnx", 1, ""),), CREATED, CREATED, 1)
        return replace(version, task=task, inputs=found.runner.inputs, outputs=found.runner.outputs)

    def resolve(self, model: str, reference: str | None) -> ModelVersion:
        if model not in self._versions or reference not in (None, "1", "prod"):
            raise NotFound("model", model)
        return self._versions[model]


def function(exports: dict[str, Files], folder: Path, limits: TaskLimits) -> ModuleType:
    """functions/inference/app.py over these exports."""
    registry = Exports(exports, folder)
    app = wire.inference_function({})

    def load(version: ModelVersion, _: object) -> object:
        path = registry.paths[version.model]
        assert version.task
        return task_runner(Runner(path, threads=1), root_of(path), version.task, limits)

    app.dataplane = DataPlane(registry, RunnerCache(load, 1 << 30), 3600)  # type: ignore[arg-type, attr-defined]
    return app
