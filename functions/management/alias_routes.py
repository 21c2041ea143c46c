"""/api/v1/models/{model}/aliases: what traffic follows, and what it followed when."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Response

from edge import Absent, AliasName, IfMatch, ModelName, Time, registry
from maas.times import canonical
from maas.web.application import Actor
from openapi import ALIAS_LINKS, item, refusals
from schemas.aliases import Alias, AliasAt, Aliases, PutAlias

router = APIRouter(prefix="/models/{model}/aliases", tags=["aliases"])


@router.get("", responses=refusals(404, 410))
def list_aliases(model: ModelName) -> Aliases:
    """By name."""
    found = registry.models.get(model).aliases
    return Aliases(aliases=[Alias.of(model, name, alias) for name, alias in sorted(found.items())])


@router.put("/{alias}", responses=item(200, ALIAS_LINKS) | refusals(404, 409, 410, 412))
def put_alias(
    model: ModelName, alias: AliasName, body: PutAlias, actor: Actor, response: Response, if_match: IfMatch = None
) -> Alias:
    """Make it, or move it: traffic follows within seconds. Only to a READY version."""
    found = registry.aliases.set(model, alias, body.version, actor, if_match)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)


@router.get("/{alias}", responses=item() | refusals(404, 410))
def get_alias(
    model: ModelName,
    alias: AliasName,
    response: Response,
    at: Annotated[Time | Absent, Query(description="What it pointed to then.")] = None,
) -> Alias | AliasAt:
    """What it points to, or pointed to at a time, which works for deleted models too."""
    if at is not None:
        version = registry.aliases.version_at(model, alias, at)
        return AliasAt(alias=alias, model=model, at=canonical(at.astimezone(UTC)), version=version)
    found = registry.aliases.get(model, alias)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)


@router.delete("/{alias}", status_code=204, responses=refusals(404, 410, 412))
def delete_alias(model: ModelName, alias: AliasName, actor: Actor, if_match: IfMatch = None) -> None:
    """The version that it points to stays."""
    registry.aliases.delete(model, alias, actor, if_match)


@router.post("/{alias}/rollback", responses=item() | refusals(404, 409, 410, 412))
def roll_back_alias(
    model: ModelName, alias: AliasName, actor: Actor, response: Response, if_match: IfMatch = None
) -> Alias:
    """Back to what it was before its last change."""
    found = registry.aliases.rollback(model, alias, actor, if_match)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)
