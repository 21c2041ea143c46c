"""API keys, as frozen dataclasses. Times are RFC 3339, in UTC."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key without its secret text. `used_at` is rounded to the hour.

    >>> maas.keys.list()[0].scopes
    ('admin',)
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None = None
    requests_per_second: int | None = None
    used_at: str | None = None
    revoked_at: str | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(ApiKey):
    """An API key with its secret text in `key`, which is shown once.

    >>> maas.keys.create("app", ["infer"]).key.startswith("maas_")
    True
    """

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: `actor` is the name in histories, `key:ID`, a token's subject or an ARN.

    >>> maas.keys.caller().scopes
    ('admin',)
    """

    actor: str
    scopes: tuple[str, ...]
    expires_at: str | None = None
    requests_per_second: int | None = None
