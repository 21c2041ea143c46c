"""API Gateway's Lambda authorizer: finds the caller of a request by its API key.

A request with a bad key passes too, with a refusal in its context: API Gateway cannot answer in the API's error shape,
so the function behind it does (`maas.access.caller`, docs/adr/0010). A request without a context has no caller: 401.
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
NO_KEY, UNKNOWN_KEY = "the request has no API key", "this API key is not known"
USED_EVERY = timedelta(hours=1)  # at most one write of `used_at` per key in this time
MAX_KNOWN = 10_000  # keys cached in one environment
PORTIONS = 10  # parts into which environments divide a key's requests of one second
Context = dict[str, Any]


class Authorizer:
    """`header`: the one header to read if API Gateway caches answers by it, else BOTH."""

    def __init__(self, known: Keys, header: str, ttl_seconds: float, requests_per_second: int) -> None:
        self._keys, self._header, self._ttl, self._rate = known, header, ttl_seconds, requests_per_second
        self._read: dict[str, tuple[float, ApiKey]] = {}
        self._left: dict[str, tuple[int, int]] = {}

    def context(self, headers: Mapping[str, str]) -> Context:
        """The caller, or the reason for a refusal. Raises ServiceUnavailable if API Gateway would cache the refusal."""
        text = presented(headers, self._header)
        if text is None:
            return {"refusal": NO_KEY}
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
            return {"refusal": UNKNOWN_KEY}
        key = self._find(sent.id)
        same = api_keys.matches(sent.secret, key.secrets if key else (), at)
        if key and not same:  # the key may have been rotated since it was cached
            self._read.pop(sent.id, None)
            key = self._find(sent.id)
            same = api_keys.matches(sent.secret, key.secrets if key else (), at)
        if key is None or not same:
            return {"refusal": UNKNOWN_KEY}
        if not key.is_good(at):
            refusal = "this API key is revoked" if key.revoked_at else "this API key has expired"
            return {"refusal": refusal, "key": key.id}
        allowed = self._rate if key.requests_per_second is None else key.requests_per_second
        if allowed and self._header == BOTH and not self._take(key.id, allowed, int(now.timestamp())):
            return {"refusal": "quota", "allowed": allowed, "key": key.id}
        self._used(key, now)
        limits = {"expires_at": api_keys.expiry(sent.secret, key), "requests_per_second": allowed}
        context = {"actor": key.actor, "name": key.name, "scopes": " ".join(key.scopes)}
        return context | {name: limit for name, limit in limits.items() if limit}

    def _find(self, key_id: str) -> ApiKey | None:
        """The key as the table had it at most `ttl_seconds` ago."""
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
        """Take one request of this second's allowance, which all environments share through a counter in the table.

        Each environment reserves portions of it, to write less often.
        """
        counted, left = self._left.get(key_id, (0, 0))
        if counted != second or left == 0:
            portion = max(1, allowed // PORTIONS)
            left = min(portion, allowed - (self._keys.count(key_id, second, portion) - portion))
        if len(self._left) >= MAX_KNOWN:
            self._left.clear()
        self._left[key_id] = (second, left - 1 if left > 0 else -1)  # -1: used up, no further read in this second
        return left > 0

    def _used(self, key: ApiKey, now: datetime) -> None:
        before = canonical(now - USED_EVERY)
        if key.used_at is None or key.used_at < before:
            with suppress(ServiceUnavailable):
                self._keys.used(key.id, canonical(now), before)
                self._read.pop(key.id, None)


def presented(headers: Mapping[str, str], header: str = BOTH) -> str | None:
    """The key's text from x-api-key, else from `Authorization: Bearer`, or only from the one header that counts."""
    lower = {name.lower(): str(value) for name, value in headers.items()}
    if header in (BOTH, "x-api-key") and "x-api-key" in lower:
        return lower["x-api-key"].strip()
    if header in (BOTH, "authorization"):
        kind, _, text = lower.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return text.strip()
    return None
