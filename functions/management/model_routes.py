"""/api/v1/models: registered models and their history."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response

from etags import shown_model
from maas.records import RegisteredModel
from maas.tasks.names import NO_TASK
from maas.web.application import Actor
from objects import PURGE_SECONDS, page_tokens, purge, registry
from openapi import MODEL_LINKS, PURGES, item, refusals
from parameters import Absent, IfMatch, IncludeDeleted, Limit, ListScope, ModelName, OnceOnly, Tags, Token, tagged
from schemas.models import CreateModel, History, HistoryEntry, Model, Models, ModelStatus
from schemas.shared import Change
from schemas.version_requests import TaskName

router = APIRouter(prefix="/models", tags=["models"])


@router.post("", status_code=201, responses=item(201, MODEL_LINKS) | refusals(404, 409, 410))
def create_model(body: CreateModel, actor: Actor, once: OnceOnly, response: Response) -> Model:
    """Create a model without versions; `POST …/versions` creates the first. A purged model's name can be used again."""
    return shown_model(response, registry.models.create(body.name, body.description, body.tags, actor, once))


@router.get("", responses=refusals())
def list_models(
    scope: ListScope,
    limit: Limit = 100,
    token: Token = None,
    prefix: Annotated[str, Query(max_length=63, description="Only names with this prefix.")] = "",
    tags: Tags = [],  # noqa: B006 (FastAPI copies it)
    status: ModelStatus | Absent = None,
    task: Annotated[
        TaskName | Absent, Query(description="Of the newest READY version; `none`: it has no task.")
    ] = None,
    include_deleted: IncludeDeleted = False,
) -> Models:
    """Models, ordered by name."""

    def keep(model: RegisteredModel) -> bool:
        state = ModelStatus.of(model)
        wanted = state is status if status else (include_deleted or state is not ModelStatus.DELETED)
        fits = task is None or task == (model.latest_ready_task or NO_TASK)
        return wanted and fits and tagged(model.tags, tags)

    found, last = registry.models.page(limit, page_tokens.position(scope, token), prefix=prefix, keep=keep)
    return Models(models=[Model.of(model) for model in found], next_page_token=page_tokens.issue(scope, last))


@router.get("/{model}", responses=item() | refusals(404, 410))
def get_model(model: ModelName, response: Response, include_deleted: IncludeDeleted = False) -> Model:
    """The model with its aliases and the newest READY version."""
    return shown_model(response, registry.models.get(model, deleted=include_deleted))


@router.patch("/{model}", responses=item() | refusals(404, 410, 412))
def update_model(model: ModelName, body: Change, actor: Actor, response: Response, if_match: IfMatch = None) -> Model:
    """Change description and tags. Absent fields stay; a tag set to null is removed."""
    return shown_model(response, registry.models.update(model, actor, body.description, body.tags, if_match))


@router.delete("/{model}", responses=item() | PURGES | refusals(404, 409, 412))
def delete_model(
    model: ModelName,
    actor: Actor,
    response: Response,
    if_match: IfMatch = None,
    purge_it: Annotated[bool, Query(alias="purge", description="Delete permanently what is deleted already.")] = False,
) -> Model | None:
    """Delete the model. It can be restored until it is purged, by `purge=true` or after the retention time."""
    if purge_it:
        done = purge.model(model, actor, time.monotonic() + PURGE_SECONDS, if_match)
        response.status_code = 204 if done else 202
        return None
    return shown_model(response, registry.models.delete(model, actor, if_match))


@router.post("/{model}/restore", responses=item() | refusals(404, 409, 412))
def restore_model(model: ModelName, actor: Actor, response: Response, if_match: IfMatch = None) -> Model:
    """Undo the deletion, with all versions, aliases and tags."""
    return shown_model(response, registry.models.restore(model, actor, if_match))


@router.get("/{model}/history", responses=refusals(404))
def model_history(
    model: ModelName,
    scope: ListScope,
    limit: Limit = 100,
    token: Token = None,
    kind: Annotated[str | Absent, Query(max_length=50)] = None,
    actor: Annotated[str | Absent, Query(max_length=300)] = None,
) -> History:
    """Who changed what, newest first; also for deleted and purged models."""
    position = page_tokens.position(scope, token)
    found, last = registry.history.page(model, limit, position, kind=kind, actor=actor)
    entries = [HistoryEntry.of(entry) for entry in found]
    return History(entries=entries, next_page_token=page_tokens.issue(scope, last))
