"""The authorizer over a table of keys, and what it makes of a key's text."""

from typing import Any

from maas.access.authorizer import Authorizer
from maas.access.caller import Caller
from maas.access.keys_table import Keys

ADMIN = Caller("arn:boss", frozenset(["admin"]))


def authorizer(keys: Keys, header: str = "any", ttl_seconds: float = 60, rate: int = 0) -> Authorizer:
    return Authorizer(keys, header, ttl_seconds, rate)


def asked(found: Authorizer, text: str) -> dict[str, Any]:
    return found.context({"X-Api-Key": text})
