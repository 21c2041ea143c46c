"""/api/v1/models: registered models and their history."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response

from edge import (
    PURGE_SECONDS,
    IfMatch,
    IncludeDeleted,
    Limit,
    ListScope,
    OnceOnly,
    Tags,
    Token,
    page_tokens,
    purge,
    registry,
    shown_model,
    tagged,
)
from maas.records import RegisteredModel
from maas.schemas import Change, CreateModel, History, HistoryEntry, Model, Models, ModelStatus
from maas.web import Actor

router = APIRouter(prefix="/models", tags=["models"])


@router.post("", status_code=201)
def create_model(body: CreateModel, actor: Actor, once: OnceOnly, response: Response) -> Model:
    return shown_model(response, registry.models.create(body.name, body.description, body.tags, actor, once))


@router.get("")
def list_models(
    scope: ListScope,
    limit: Limit = 100,
    token: Token = None,
    prefix: Annotated[str, Query(max_length=63, description="Names that begin so.")] = "",
    tags: Tags = [],  # noqa: B006 (FastAPI copies it)
    status: ModelStatus | None = None,
    include_deleted: IncludeDeleted = False,
) -> Models:
    def keep(model: RegisteredModel) -> bool:
        state = ModelStatus.of(model)
        wanted = state is status if status else (include_deleted or state is not ModelStatus.DELETED)
        return wanted and tagged(model.tags, tags)

    found, last = registry.models.page(limit, page_tokens.position(scope, token), prefix=prefix, keep=keep)
    return Models(models=[Model.of(model) for model in found], next_page_token=page_tokens.issue(scope, last))


@router.get("/{model}")
def get_model(model: str, response: Response, include_deleted: IncludeDeleted = False) -> Model:
    return shown_model(response, registry.models.get(model, deleted=include_deleted))


@router.patch("/{model}")
def update_model(model: str, body: Change, actor: Actor, response: Response, if_match: IfMatch = None) -> Model:
    return shown_model(response, registry.models.update(model, actor, body.description, body.tags, if_match))


@router.delete("/{model}", responses={202: {"description": "The purge goes on."}, 204: {"description": "Purged."}})
def delete_model(
    model: str,
    actor: Actor,
    response: Response,
    if_match: IfMatch = None,
    purge_it: Annotated[bool, Query(alias="purge", description="For good; it has to be deleted before.")] = False,
) -> Model | None:
    """Soft: it can be restored until it is purged, by this call or by the schedule after the retention time."""
    if purge_it:
        done = purge.model(model, actor, time.monotonic() + PURGE_SECONDS)
        response.status_code = 204 if done else 202
        return None
    return shown_model(response, registry.models.delete(model, actor, if_match))


@router.post("/{model}/restore")
def restore_model(model: str, actor: Actor, response: Response, if_match: IfMatch = None) -> Model:
    return shown_model(response, registry.models.restore(model, actor, if_match))


@router.get("/{model}/history")
def model_history(
    model: str,
    scope: ListScope,
    limit: Limit = 100,
    token: Token = None,
    kind: Annotated[str | None, Query(max_length=50)] = None,
    actor: Annotated[str | None, Query(max_length=300)] = None,
) -> History:
    """Who changed what, newest first; also of models that are deleted or purged."""
    position = page_tokens.position(scope, token)
    found, last = registry.history.page(model, limit, position, kind=kind, actor=actor)
    entries = [HistoryEntry.of(entry) for entry in found]
    return History(entries=entries, next_page_token=page_tokens.issue(scope, last))
