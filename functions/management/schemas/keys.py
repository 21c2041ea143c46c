"""Schemas of API keys."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from maas.access import api_keys, caller
from maas.access.caller import SCOPES
from maas.names import NAME_PATTERN
from schemas import shared
from schemas.shared import Time, whole

MAX_GRACE_SECONDS = 30 * 24 * 3600
_ID, _AT = "0123456789abcdef", "2026-01-31T12:00:00.000000Z"
_KEY = {
    "id": _ID,
    "name": "ci",
    "scopes": ["models:write", "infer:digits"],
    "created_at": _AT,
    "created_by": "key:fedcba9876543210",
    "expires_at": None,
    "requests_per_second": None,
    "used_at": None,
    "revoked_at": None,
    "revoked_by": None,
}
_TEXT = f"maas_{_ID}_" + 64 * "0"
_CHANGE = {"revision": 1, "at": _AT, "actor": "key:fedcba9876543210", "kind": "key.created", "after": {"name": "ci"}}

_SCOPE = f"{'|'.join(SCOPES)}|infer:{NAME_PATTERN}"


def scope(text: str) -> str:
    """A pattern alone would be refused with the pattern as the reason."""
    if not re.fullmatch(_SCOPE, text):
        raise ValueError(f"expected one of {', '.join(SCOPES)} or infer:MODEL")
    return text


Scope = Annotated[str, AfterValidator(scope), Field(json_schema_extra={"pattern": f"^({_SCOPE})$"})]
Rate = Annotated[int, Field(ge=1, le=1_000_000, strict=True), BeforeValidator(whole)]
Grace = Annotated[int, Field(ge=0, le=MAX_GRACE_SECONDS, strict=True), BeforeValidator(whole)]


class CreateKey(shared.Body):
    model_config = shared.like(name="ci", scopes=["models:write", "infer:digits"], expires_at=None)

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=100)]
    expires_at: Time | None = None
    requests_per_second: Rate | None = None


class RotateKey(shared.Body):
    model_config = shared.like(grace_seconds=3600)

    grace_seconds: Grace = 3600


class Key(BaseModel):
    """`used_at` is exact to the hour."""

    model_config = shared.like(**_KEY)

    id: str
    name: str
    scopes: list[str]
    created_at: str
    created_by: str
    expires_at: str | None
    requests_per_second: int | None
    used_at: str | None
    revoked_at: str | None
    revoked_by: str | None

    @classmethod
    def of(cls, found: api_keys.ApiKey, **more: object) -> Self:
        return cls.model_validate(found.shown | more)


class Caller(BaseModel):
    """`actor` is `key:ID`, a token's subject or an ARN. The last two are a key's, null if it has no such limit."""

    model_config = shared.like(
        actor=f"key:{_ID}", scopes=["infer:digits", "models:write"], expires_at=None, requests_per_second=None
    )

    actor: str
    scopes: list[str]
    expires_at: str | None
    requests_per_second: int | None

    @classmethod
    def of(cls, found: caller.Caller) -> Self:
        return cls.model_validate(found._asdict() | {"scopes": sorted(found.scopes)})


class CreatedKey(Key):
    """`key` is the text that callers send; it is not stored."""

    model_config = shared.like(**_KEY, key=_TEXT)

    key: str


class Keys(BaseModel):
    model_config = shared.like(keys=[_KEY], next_page_token=None)

    keys: list[Key]
    next_page_token: str | None


class KeyChange(BaseModel):
    revision: int
    at: str
    actor: str
    kind: str
    after: dict[str, Any]


class KeyHistory(BaseModel):
    model_config = shared.like(entries=[_CHANGE], next_page_token=None)

    entries: list[KeyChange]
    next_page_token: str | None

    @classmethod
    def of(cls, changes: Sequence[api_keys.KeyChange], token: str | None) -> Self:
        return cls(entries=[KeyChange.model_validate(asdict(one)) for one in changes], next_page_token=token)
