"""Shared by the routes of this function: the objects they call, and the parameters they read."""

import hashlib
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, BeforeValidator
from pydantic.json_schema import SkipJsonSchema

from maas import bootstrap
from maas.errors import PreconditionFailed
from maas.names import ALIAS_PATTERN, NAME_PATTERN
from maas.records import ModelVersion, RegisteredModel
from maas.registry import Idempotency
from maas.settings import Settings
from maas.web.application import Actor
from maas.web.events import error_document
from page_tokens import PageTokens
from schemas.aliases import Alias
from schemas.models import Model
from schemas.shared import rfc_3339
from schemas.versions import Version

settings = Settings.from_env()
registry = bootstrap.registry(settings)
keys = bootstrap.keys(settings)
bucket = bootstrap.bucket(settings)
page_tokens = PageTokens(lambda: registry.secret("page-tokens"))
purge = registry.purge(bucket.delete_prefix)

# A request has to end within API Gateway's 30 s. The schedule finishes longer purges.
PURGE_SECONDS = 20

Absent = SkipJsonSchema[None]  # an optional parameter; the OpenAPI document must not offer null for it
Time = Annotated[AwareDatetime, BeforeValidator(rfc_3339)]
Limit = Annotated[int, Query(ge=1, le=1000, description="The maximum number of items.")]
Token = Annotated[
    str | Absent, Query(alias="page_token", max_length=1000, description="The previous page's next_page_token.")
]
IncludeDeleted = Annotated[bool, Query(description="Include deleted items.")]
Tags = Annotated[list[str], Query(alias="tag", description="KEY or KEY=VALUE, repeatable.", examples=[["team=vision"]])]
ModelName = Annotated[str, Path(alias="model", pattern=f"^{NAME_PATTERN}$", examples=["digits"])]
AliasName = Annotated[str, Path(alias="alias", pattern=f"^({ALIAS_PATTERN})$", max_length=63, examples=["production"])]
Number = Annotated[int, Path(ge=1, lt=10**9, examples=[1])]
IfMatch = Annotated[str | Absent, Header(description="Change only if this is the current ETag.", max_length=1000)]


async def idempotency_of(
    request: Request,
    actor: Actor,
    idempotency_key: Annotated[
        str | Absent,
        Header(description="A repeated call with the same key creates nothing.", min_length=1, max_length=100),
    ] = None,
) -> Idempotency | None:
    if idempotency_key is None:
        return None
    digest = hashlib.sha256(request.scope["path"].encode() + b"\0" + await request.body()).hexdigest()
    return Idempotency(actor, idempotency_key, digest)


def list_scope(request: Request) -> str:
    """The list that a page token is valid for: its path and filters."""
    filters = [item for item in request.query_params.multi_items() if item[0] not in ("page_token", "limit")]
    return f"{request.scope['path']}?{urlencode(sorted(filters))}"


OnceOnly = Annotated[Idempotency | None, Depends(idempotency_of)]
ListScope = Annotated[str, Depends(list_scope)]


def tagged(tags: dict[str, str], wanted: list[str]) -> bool:
    """Whether the tags have every KEY or KEY=VALUE."""
    for one in wanted:
        key, equals, value = one.partition("=")
        if key not in tags or (equals and tags[key] != value):
            return False
    return True


def shown_model(response: Response, model: RegisteredModel) -> Model:
    response.headers["etag"] = model.etag
    return Model.of(model)


def shown_version(response: Response, version: ModelVersion, aliases: list[str]) -> Version:
    response.headers["etag"] = version.etag(aliases)
    return Version.of(version, aliases)


async def precondition_failed(_: Request, error: Exception) -> JSONResponse:
    """412 with the current state, so that the caller can decide again without another request."""
    assert isinstance(error, PreconditionFailed)
    status, document = error_document(error)
    state: Any = error.current
    shown: BaseModel
    if isinstance(state, RegisteredModel):
        shown = Model.of(state)
    elif isinstance(state[0], ModelVersion):
        shown = Version.of(*state)
    else:
        shown = Alias.of(*state)
    document["current"] = shown.model_dump(mode="json")
    return JSONResponse(document, status, headers={"etag": error.etag})
