"""API keys as the API tells of them, as frozen dataclasses. Times are RFC 3339, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`used_at` is kept to the hour."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None
    requests_per_second: int | None
    used_at: str | None
    revoked_at: str | None
    revoked_by: str | None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**cls._fields(fields))

    @classmethod
    def _fields(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        known = {name: fields.get(name) for name in cls.__dataclass_fields__}
        return known | {"scopes": tuple(fields["scopes"])}


@dataclass(frozen=True, slots=True)
class NewKey(ApiKey):
    """`key` is its text, which is shown once."""

    key: str = field(repr=False)
