"""What API Gateway asks before it lets a request through: whose key is it?

A bad key is let through too, with a refusal in its context: API Gateway's own answer could not be in our shape, so the
function behind gives it (`maas.access`, docs/adr/0010). Without a context there is no caller and no way in.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from maas.access import api_keys
from maas.access.api_keys import ApiKey
from maas.access.keys_table import Keys
from maas.errors import ServiceUnavailable
from maas.times import canonical

BOTH = "any"
USED_EVERY = timedelta(hours=1)
MAX_KNOWN = 10_000
PORTIONS = 10  # that an environment takes a second's requests in
Context = dict[str, Any]


class Authorizer:
    """`header` is the only one to look at, where API Gateway remembers answers by it; else BOTH."""

    def __init__(self, known: Keys, header: str, ttl_seconds: float, requests_per_second: int) -> None:
        self._keys, self._header, self._ttl, self._rate = known, header, ttl_seconds, requests_per_second
        self._read: dict[str, tuple[float, ApiKey]] = {}
        self._left: dict[str, tuple[int, int]] = {}

    def context(self, headers: Mapping[str, str]) -> Context:
        """The caller, or why there is none. Raises ServiceUnavailable where the answer would be remembered."""
        text = presented(headers, self._header)
        if text is None:
            return {"refusal": "no API key came with it"}
        try:
            return self._of(text)
        except ServiceUnavailable:
            if self._header != BOTH:
                raise
            return {"refusal": "unavailable"}

    def _of(self, text: str) -> Context:
        sent, now = api_keys.parse(text), datetime.now(UTC)
        at = canonical(now)
        if sent is None:
            return {"refusal": "this API key is not known"}
        key = self._find(sent.id)
        same = api_keys.matches(sent.secret, key.secrets if key else (), at)
        if key and not same:  # the secret may be newer than what is remembered of the key
            self._read.pop(sent.id, None)
            key = self._find(sent.id)
            same = api_keys.matches(sent.secret, key.secrets if key else (), at)
        if key is None or not same:
            return {"refusal": "this API key is not known"}
        if not key.is_good(at):
            refusal = "this API key is revoked" if key.revoked_at else "this API key has expired"
            return {"refusal": refusal, "key": key.id}
        allowed = self._rate if key.requests_per_second is None else key.requests_per_second
        if allowed and self._header == BOTH and not self._take(key.id, allowed, int(now.timestamp())):
            return {"refusal": "quota", "allowed": allowed, "key": key.id}
        self._used(key, now)
        return {"actor": key.actor, "name": key.name, "scopes": " ".join(key.scopes)}

    def _find(self, key_id: str) -> ApiKey | None:
        """As the table said within the last seconds."""
        read_at, key = self._read.get(key_id, (0.0, None))
        now = time.monotonic()
        if key is None or now - read_at > self._ttl:
            self._read.pop(key_id, None)
            key = self._keys.find(key_id)
            if key:
                if len(self._read) >= MAX_KNOWN:
                    self._read.clear()
                self._read[key_id] = (now, key)
        return key

    def _take(self, key_id: str, allowed: int, second: int) -> bool:
        """One request of this second's. The count is in the table, for all environments, and taken in portions."""
        counted, left = self._left.get(key_id, (0, 0))
        if counted != second or left == 0:
            portion = max(1, allowed // PORTIONS)
            left = min(portion, allowed - (self._keys.count(key_id, second, portion) - portion))
        if len(self._left) >= MAX_KNOWN:
            self._left.clear()
        self._left[key_id] = (second, left - 1 if left > 0 else -1)  # -1: do not ask again in this second
        return left > 0

    def _used(self, key: ApiKey, now: datetime) -> None:
        before = canonical(now - USED_EVERY)
        if key.used_at is None or key.used_at < before:
            with suppress(ServiceUnavailable):
                self._keys.used(key.id, canonical(now), before)
                self._read.pop(key.id, None)


def presented(headers: Mapping[str, str], header: str = BOTH) -> str | None:
    """The key's text: of x-api-key, else of `Authorization: Bearer`; of one of them alone where only that counts."""
    lower = {name.lower(): value for name, value in headers.items()}
    if header in (BOTH, "x-api-key") and "x-api-key" in lower:
        return lower["x-api-key"].strip()
    if header in (BOTH, "authorization"):
        kind, _, text = lower.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return text.strip()
    return None
