"""The inference function over exports on disk, each a model with its task found as at deployment."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from maas.deployment.model_optimization import write_quantized
from maas.errors import NotFound
from maas.records import ModelFile, ModelVersion, Quantized, Status
from maas.records.aliases import whole
from maas.registry import Resolution
from maas.serving.dataplane import DataPlane
from maas.serving.runner import Runner
from maas.serving.runner_cache import RunnerCache
from maas.tasks.limits import TaskLimits
from maas.tasks.loading import root_of, task_runner
from maas.tasks.recognition import recognized
from support import wire
from support.exports import small
from support.exports.small import Files

CREATED, SCHEME = "2026-01-02T03:04:05Z", "dynamic-int8"


class Exports:
    """A registry of exports: each model has one READY version, 1, with an alias `prod`; some a quantised form too."""

    def __init__(self, exports: dict[str, Files], folder: Path, quantized: Sequence[str] = ()) -> None:
        self.paths = {name: small.written(files, folder / name) for name, files in exports.items()}
        self._versions = {name: self._version(name, path) for name, path in self.paths.items()}
        for name in quantized:
            form = self.paths[name].parent / SCHEME / "model.onnx"
            form.parent.mkdir()
            write_quantized(self.paths[name], form)
            kept = Quantized(SCHEME, 1.0, (ModelFile("model.onnx", 1, ""),), 1)
            self._versions[name] = replace(self._versions[name], quantized=kept)

    def _version(self, name: str, path: Path) -> ModelVersion:
        raw = Runner(path, threads=1)
        found = recognized(path, raw, None)
        version = ModelVersion(name, 1, Status.READY, (ModelFile("model.onnx", 1, ""),), CREATED, CREATED, 1)
        if not found.task or not found.runner:
            return replace(version, inputs=raw.inputs, outputs=raw.outputs)
        task = replace(found.task, raw_outputs=raw.outputs)
        return replace(version, task=task, inputs=found.runner.inputs, outputs=found.runner.outputs)

    def resolution(self, model: str, reference: str | None) -> Resolution:
        if model not in self._versions or reference not in (None, "1", "prod"):
            raise NotFound("model", model)
        return Resolution(whole(1), (self._versions[model],))


def function(exports: dict[str, Files], folder: Path, limits: TaskLimits, quantized: Sequence[str] = ()) -> ModuleType:
    """functions/inference/app.py over these exports."""
    registry = Exports(exports, folder, quantized)
    app = wire.inference_function({})

    def load(version: ModelVersion, form: Quantized | None) -> object:
        path = registry.paths[version.model]
        graph = Runner(path.parent / form.scheme / path.name if form else path, threads=1)
        return task_runner(graph, root_of(path), version.task, limits) if version.task else graph

    app.dataplane = DataPlane(registry, RunnerCache(load, 1 << 30), 3600)  # type: ignore[arg-type, attr-defined]
    return app


def every_task(folder: Path) -> ModuleType:
    """A model with each task, named after it; `colours` and `vectors` take images. Limits are low."""
    exports = {task: small.text_export(task).files for task in small.TEXT_TASKS}
    exports["colours"] = small.image_export()
    exports["vectors"] = small.image_export(classes=False)
    return function(exports, folder, TaskLimits(texts=64, text_bytes=20_000, tokens=600, image_pixels=10_000))


def post(app: ModuleType, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    """The status and the document of the answer to bytes, or to a document as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = app.lambda_handler(wire.event(path, content, headers), wire.CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])


def ok(app: ModuleType, path: str, body: Any) -> Any:
    """The document of an answer whose status is 200."""
    status, document = post(app, path, body)
    assert status == 200, document
    return document
