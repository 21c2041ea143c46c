"""READY versions of a model: a mark for each, and the newest one in the model's row."""

from dataclasses import replace

from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.records import ModelVersion, RegisteredModel
from maas.registry.state import table_rows


def ready_mark(version: ModelVersion) -> Put:
    mark = {"number": version.number, "task": _task_name(version)}
    return Put(table_rows.ready_key(version.model, version.number), mark, None)


def with_ready(owner: RegisteredModel, version: ModelVersion) -> RegisteredModel:
    """The model with one more READY version."""
    if version.number < (owner.latest_ready_version or 0):
        return owner
    return replace(owner, latest_ready_version=version.number, latest_ready_task=_task_name(version))


def without_ready(table: Table, owner: RegisteredModel, number: int) -> RegisteredModel:
    """The model after its READY version `number` is deleted."""
    page, _ = table.query(table_rows.partition(owner.name), "R#", limit=2, newest_first=True)
    mark = next((row for row in page if row["number"] != number), {})
    return replace(owner, latest_ready_version=mark.get("number"), latest_ready_task=mark.get("task"))


def _task_name(version: ModelVersion) -> str | None:
    return version.task.name if version.task else None
