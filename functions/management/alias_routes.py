"""/api/v1/models/{model}/aliases: the names that traffic follows, now and at earlier times."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Response

from maas.times import canonical
from maas.web.application import Actor
from objects import registry
from openapi import ALIAS_LINKS, item, refusals
from parameters import Absent, AliasName, IfMatch, ModelName
from schemas.aliases import Alias, AliasAt, Aliases, PutAlias
from schemas.shared import Time

router = APIRouter(prefix="/models/{model}/aliases", tags=["aliases"])


@router.get("", responses=refusals(404, 410))
def list_aliases(model: ModelName) -> Aliases:
    """All aliases of the model, ordered by name."""
    found = registry.models.get(model).aliases
    return Aliases(aliases=[Alias.of(model, name, alias) for name, alias in sorted(found.items())])


@router.put("/{alias}", responses=item(200, ALIAS_LINKS) | refusals(404, 409, 410, 412))
def put_alias(
    model: ModelName, alias: AliasName, body: PutAlias, actor: Actor, response: Response, if_match: IfMatch = None
) -> Alias:
    """Create the alias, move it to another READY version or share its requests among several.

    Traffic follows within seconds.
    """
    found = registry.aliases.set(
        model, alias, body.target(), actor, if_match, sticky=body.sticky, samples=body.samples()
    )
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)


@router.get("/{alias}", responses=item() | refusals(404, 410))
def get_alias(
    model: ModelName,
    alias: AliasName,
    response: Response,
    at: Annotated[Time | Absent, Query(description="Return where it led at this time.")] = None,
) -> Alias | AliasAt:
    """Where it leads, or led `at` a time. With `at`, deleted models answer too."""
    if at is not None:
        then = registry.aliases.routes_at(model, alias, at)
        return AliasAt.of(model, alias, canonical(at.astimezone(UTC)), then)
    found = registry.aliases.get(model, alias)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)


@router.delete("/{alias}", status_code=204, responses=refusals(404, 410, 412))
def delete_alias(model: ModelName, alias: AliasName, actor: Actor, if_match: IfMatch = None) -> None:
    """Delete the alias. Its versions stay."""
    registry.aliases.delete(model, alias, actor, if_match)


@router.post("/{alias}/rollback", responses=item() | refusals(404, 409, 410, 412))
def roll_back_alias(
    model: ModelName, alias: AliasName, actor: Actor, response: Response, if_match: IfMatch = None
) -> Alias:
    """Give the alias the version or routes that it had before."""
    found = registry.aliases.rollback(model, alias, actor, if_match)
    response.headers["etag"] = found.etag
    return Alias.of(model, alias, found)
