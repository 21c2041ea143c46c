"""Parameters that several routes read: types of path, query and headers, idempotency, scope of a list."""

import hashlib
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Header, Path, Query, Request
from pydantic import BeforeValidator
from pydantic.json_schema import SkipJsonSchema

from maas.names import ALIAS_PATTERN, NAME_PATTERN
from maas.registry import Idempotency
from maas.web.application import Actor
from schemas.shared import digits

Absent = SkipJsonSchema[None]  # an optional parameter; the OpenAPI document must not offer null for it
Digits = BeforeValidator(digits)  # pydantic also takes " 5", "+5", "5.0" and "1_0"; last, or the document has no bounds
Limit = Annotated[int, Query(ge=1, le=1000, description="The maximum number of items."), Digits]
Token = Annotated[
    str | Absent, Query(alias="page_token", max_length=1000, description="The previous page's next_page_token.")
]
IncludeDeleted = Annotated[bool, Query(description="Include deleted items.")]
Tags = Annotated[list[str], Query(alias="tag", description="KEY or KEY=VALUE, repeatable.", examples=[["team=vision"]])]
ModelName = Annotated[str, Path(alias="model", pattern=f"^{NAME_PATTERN}$", examples=["digits"])]
AliasName = Annotated[str, Path(alias="alias", pattern=f"^({ALIAS_PATTERN})$", max_length=63, examples=["production"])]
Number = Annotated[int, Path(ge=1, lt=10**9, examples=[1]), Digits]
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
