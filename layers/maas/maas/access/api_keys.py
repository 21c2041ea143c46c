"""API keys: `maas_ID_SECRET`. The id finds the row, the secret authenticates; only a salted hash of it is stored.

A secret is 256 random bits and cannot be guessed, so a fast hash is enough (docs/adr/0010).
"""

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from maas.records.rows import UNKNOWN, Row, known, row_of

PREFIX = "maas"
ID_BYTES, SECRET_BYTES, SALT_BYTES = 8, 32, 16
_TEXT = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
_VALID_AT_ONCE = 2  # the current secret, and the previous one during its grace time


@dataclass(frozen=True, slots=True)
class StoredSecret(Row):
    """Salt and hash in hexadecimal. `good_until` is set when another secret replaces this one."""

    salt: str
    digest: str
    good_until: str | None = None


@dataclass(frozen=True, slots=True)
class ApiKey(Row):
    """Times are RFC 3339 (`times.canonical`). `secrets` are newest first. `used_at` is exact to the hour."""

    id: str
    name: str
    scopes: tuple[str, ...]
    secrets: tuple[StoredSecret, ...]
    created_at: str
    created_by: str
    revision: int = 1
    good_until: str | None = None
    revoked_at: str | None = None
    revoked_by: str | None = None
    used_at: str | None = None
    requests_per_second: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        made = {
            "scopes": tuple(fields["scopes"]),
            "secrets": tuple(map(StoredSecret.of, fields["secrets"])),
        }
        return cls(**(known(cls, fields) | made))

    @property
    def fields(self) -> dict[str, Any]:
        """Those of its row."""
        found: dict[str, Any] = row_of(self)
        return found

    @property
    def shown(self) -> dict[str, Any]:
        """The fields that the API shows: all that are known but the secrets."""
        hidden = ("secrets", "revision", "good_until", UNKNOWN)
        public = {name: value for name, value in asdict(self).items() if name not in hidden}
        return public | {"scopes": list(self.scopes), "expires_at": self.good_until}

    @property
    def actor(self) -> str:
        return f"key:{self.id}"

    def is_good(self, now: str) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.good_until is None or now < self.good_until)


@dataclass(frozen=True, slots=True)
class KeyChange(Row):
    """An entry of a key's history: who changed what, and when."""

    id: str
    revision: int
    at: str
    actor: str
    kind: str
    after: dict[str, Any] = field(default_factory=dict)


class Presented(NamedTuple):
    """A key as sent by a caller."""

    id: str
    secret: str


def new_id() -> str:
    return secrets.token_hex(ID_BYTES)


def new_secret(key_id: str) -> tuple[str, StoredSecret]:
    """The key's text, which is shown once, and the record that is stored."""
    secret, salt = secrets.token_hex(SECRET_BYTES), secrets.token_hex(SALT_BYTES)
    return f"{PREFIX}_{key_id}_{secret}", StoredSecret(salt, _digest(salt, secret))


def parse(text: str) -> Presented | None:
    """The parts of a key's text; None if it does not have a key's form."""
    found = _TEXT.fullmatch(text)
    return Presented(found[1], found[2]) if found else None


def matches(secret: str, stored: Sequence[StoredSecret], now: str) -> bool:
    """Whether `secret` is one of the stored secrets that are valid at `now`.

    The number of hashes and comparisons is always the same, even if nothing is stored: the time taken reveals neither
    how much of a secret is right nor whether the key exists. It compares digests, whose bytes a caller cannot choose.
    """
    found = False
    for candidate in [*stored[:_VALID_AT_ONCE], _DUMMY, _DUMMY][:_VALID_AT_ONCE]:
        same = hmac.compare_digest(_digest(candidate.salt, secret), candidate.digest)
        found |= same & (now < (candidate.good_until or _NEVER))
    return found


def expiry(secret: str, key: ApiKey) -> str | None:
    """When this text of the key becomes invalid: with the key, or earlier if it was replaced. None is never."""
    replaced = [one for one in key.secrets if one.good_until]
    ends = [one.good_until for one in replaced if hmac.compare_digest(_digest(one.salt, secret), one.digest)]
    return min((end for end in (*ends, key.good_until) if end), default=None)


def _digest(salt: str, secret: str) -> str:
    return hmac.digest(bytes.fromhex(salt), secret.encode(), "sha256").hex()


_NEVER = "9999"  # sorts after every time
_DUMMY = StoredSecret("00" * SALT_BYTES, "00" * 32)  # matches no secret
