"""/api/v1/models/{model}/aliases: what traffic follows, and what it followed when."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from edge import IfMatch, registry
from maas.registry import rows
from maas.schemas import Alias, AliasAt, Aliases, PutAlias
from maas.web import Actor

router = APIRouter(prefix="/models/{model}/aliases", tags=["aliases"])


@router.get("")
def list_aliases(model: str) -> Aliases:
    found = registry.models.get(model).aliases
    return Aliases(aliases=[Alias.of(model, name, alias) for name, alias in sorted(found.items())])


@router.put("/{alias}")
def put_alias(
    model: str, alias: str, body: PutAlias, actor: Actor, response: Response, if_match: IfMatch = None
) -> Alias:
    found = registry.aliases.set(model, alias, body.version, actor, if_match)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)


@router.get("/{alias}")
def get_alias(
    model: str,
    alias: str,
    response: Response,
    at: Annotated[AwareDatetime | None, Query(description="What it pointed to then.")] = None,
) -> Alias | AliasAt:
    if at is not None:
        version = registry.aliases.version_at(model, alias, at)
        return AliasAt(alias=alias, model=model, at=rows.canonical(at.astimezone(UTC)), version=version)
    found = registry.aliases.get(model, alias)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)


@router.delete("/{alias}", status_code=204)
def delete_alias(model: str, alias: str, actor: Actor, if_match: IfMatch = None) -> None:
    registry.aliases.delete(model, alias, actor, if_match)


@router.post("/{alias}/rollback")
def roll_back_alias(model: str, alias: str, actor: Actor, response: Response, if_match: IfMatch = None) -> Alias:
    """Back to what it was before its last change."""
    found = registry.aliases.rollback(model, alias, actor, if_match)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)
