"""Common steps of the registry's tests."""

from dataclasses import asdict, replace
from typing import Any

from maas.records import MetadataTensor, ModelFile, ModelVersion, Status, Task
from maas.registry import Registry

FILE = ModelFile("model.onnx", 10, "0" * 64)
SIGNATURE = (MetadataTensor("x", "FP32", (-1, 3)),)
NEVER = float("inf")


def ready(registry: Registry, model: str = "m", task: Task | None = None) -> ModelVersion:
    created = registry.versions.create(model, [FILE], "", {}, "ann")
    version = registry.validation.start(model, created.number, "deployment")
    results = {"inputs": SIGNATURE, "outputs": SIGNATURE, "profile": {"load_ms": 1.5}, "task": task}
    found = replace(version, status=Status.READY, **results)
    return registry.validation.finish(found, "deployment")


def kinds(registry: Registry, model: str = "m") -> list[str]:
    return [entry.kind for entry in registry.history.page(model, 1000)[0]][::-1]


def state(registry: Registry, model: str = "m") -> dict[str, Any]:
    """Everything that GET shows of a model, except for times of change and revisions."""

    def plain(record: Any) -> dict[str, Any]:
        return {key: value for key, value in asdict(record).items() if key not in ("updated_at", "revision")}

    owner = registry.models.get(model)
    return plain(owner) | {"versions": [plain(one) for one in registry.versions.page(model, 100)[0]]}


class Objects:
    """Stands in for the bucket's `delete_prefix`: records prefixes, returns `answers` one by one."""

    def __init__(self, *answers: bool) -> None:
        self.prefixes: list[str] = []
        self._answers = list(answers)

    def __call__(self, prefix: str, _: float, last: int | None) -> bool:
        self.prefixes.append(prefix)
        return self._answers.pop(0) if self._answers else True
