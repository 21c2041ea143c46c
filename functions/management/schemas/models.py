"""Schemas of models and their history."""

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, Field

from maas import records
from schemas.aliases import Route, routes
from schemas.shared import EXAMPLE_LATER, EXAMPLE_TIME, Body, Description, Name, Tags, attributes, like

_MODEL = {
    "name": "digits",
    "description": "Handwritten digits",
    "tags": {"team": "vision"},
    "status": "READY",
    "aliases": {"production": 1},
    "splits": {"production": [{"version": 2, "weight": 10}, {"version": 1, "weight": 90}]},
    "latest_ready_version": 1,
    "task": "image-classification",
    "created_at": EXAMPLE_TIME,
    "updated_at": EXAMPLE_LATER,
    "deleted_at": None,
}
_ENTRY = {
    "model": "digits",
    "revision": 7,
    "at": EXAMPLE_LATER,
    "actor": "arn:aws:iam::123456789012:user/ann",
    "kind": "alias.set",
    "version": None,
    "alias": "production",
    "before": {"version": 1},
    "after": {"version": 2},
}


class CreateModel(Body):
    model_config = like(name="digits", description="Handwritten digits", tags={"team": "vision"})

    name: Name
    description: Description = ""
    tags: Tags = Field({})


class ModelStatus(StrEnum):
    READY = "READY"
    EMPTY = "EMPTY"
    DELETED = "DELETED"

    @classmethod
    def of(cls, model: records.RegisteredModel) -> "ModelStatus":
        if model.deleted_at:
            return cls.DELETED
        return cls.READY if model.latest_ready_version else cls.EMPTY


class Model(BaseModel):
    """`status` is READY if a version of the model can be served.

    `aliases` name the version that gets most of their requests; `splits` has the routes of those with several.
    `task` is that of the newest READY version; null if it has none.
    """

    model_config = like(**_MODEL)

    name: str
    description: str
    tags: dict[str, str]
    status: ModelStatus
    aliases: dict[str, int]
    splits: dict[str, list[Route]]
    latest_ready_version: int | None
    task: str | None
    created_at: str
    updated_at: str
    deleted_at: str | None

    @classmethod
    def of(cls, model: records.RegisteredModel) -> Self:
        aliases = sorted(model.aliases.items())
        made = {
            "aliases": {name: alias.version for name, alias in aliases},
            "splits": {name: routes(alias.routes) for name, alias in aliases if alias.routes},
            "status": ModelStatus.of(model),
            "task": model.latest_ready_task,
        }
        return cls.model_validate(attributes(cls, model, *made) | made)


class Models(BaseModel):
    model_config = like(models=[_MODEL], next_page_token=None)

    models: list[Model]
    next_page_token: str | None


class HistoryEntry(BaseModel):
    model: str
    revision: int
    at: str
    actor: str
    kind: str
    version: int | None
    alias: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, entry: records.HistoryEntry) -> Self:
        return cls.model_validate(attributes(cls, entry))


class History(BaseModel):
    model_config = like(entries=[_ENTRY], next_page_token=None)

    entries: list[HistoryEntry]
    next_page_token: str | None
