"""Which version of an alias answers a request; what aliases lead to is cached.

Requests that stick have a place from 0 to 99: the hash of who sends them, keyed with the alias's salt. The routes lie
on these places side by side, the newest version first. So a caller has the same version in every environment, and a
new version that gets more weight keeps the callers that it has.
"""

import random
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

from maas.records import ModelVersion
from maas.records.aliases import NOT_STICKY, WHOLE
from maas.records.samples import Samples
from maas.registry import Registry, Resolution

CALLER, HEADER = "caller", "header:"
MOST_REFERENCES = 1000  # that are cached: callers choose them


class Sender(NamedTuple):
    """Who sends a request: the caller's name, empty if unknown, and the headers, by names in small letters."""

    actor: str
    headers: Mapping[str, str]


class Resolved(NamedTuple):
    """The version that answers, and the alias it was found by; None for a number and for the newest version.

    `samples` is what the alias copies of its requests.
    """

    version: ModelVersion
    alias: str | None = None
    samples: Samples | None = None


class Traffic:
    """The versions that a reference leads to, and how requests are shared among them."""

    def __init__(self, found: Resolution) -> None:
        samples = found.alias.samples if found.alias else None
        self.all = [Resolved(version, found.name, samples) for version in found.versions]
        number = found.alias.version if found.alias else found.routes[0].version
        self._main = next(one for one in self.all if one.version.number == number)
        # The version at each place; none for a single one.
        shares = zip(self.all, found.routes, strict=True)
        self._places = [one for one, route in shares for _ in range(route.weight)] if len(self.all) > 1 else []
        sticky = found.alias.sticky if found.alias else NOT_STICKY
        self._by_caller = sticky == CALLER
        self._header = sticky.removeprefix(HEADER).lower() if sticky.startswith(HEADER) else None
        self._salt = bytes.fromhex(found.alias.salt) if found.alias else b""
        # Seeded by the system, here and not at import: environments from one snapshot must not draw the same numbers.
        self._random = random.Random() if self._places else None

    def pick(self, sender: Sender | None) -> Resolved:
        """The version for this sender; the main one, with the most weight, if there is none.

        Without a name or header to stick to, requests are shared at random.
        """
        if sender is None or self._random is None:
            return self._main
        key = sender.actor if self._by_caller else sender.headers.get(self._header, "") if self._header else ""
        return self._places[place_of(key, self._salt) if key else int(self._random.random() * WHOLE)]


class TrafficCache:
    """The traffic of each reference that was asked for, read from the registry at most `ttl_seconds` ago."""

    def __init__(self, registry: Registry, ttl_seconds: float) -> None:
        self._registry, self._ttl_seconds = registry, ttl_seconds
        self._found: dict[tuple[str, str | None], tuple[float, Traffic]] = {}

    def get(self, model: str, reference: str | None) -> Traffic:
        """Raises NotFound, Gone, NotReady."""
        key, now = (model, reference), time.monotonic()
        read_at, traffic = self._found.get(key, (0.0, None))
        if traffic is None or now - read_at > self._ttl_seconds:
            self._found.pop(key, None)
            traffic = Traffic(self._registry.resolution(model, reference))
            if len(self._found) >= MOST_REFERENCES:
                self._found.clear()
            self._found[key] = (now, traffic)
        return traffic

    def forget(self, model: str, reference: str | None) -> None:
        """The next `get` reads it again."""
        self._found.pop((model, reference), None)


def place_of(key: str, salt: bytes) -> int:
    """From 0 to 99, the same for the same key and salt."""
    digest = blake2b(key.encode(errors="surrogateescape"), key=salt, digest_size=8).digest()
    return int.from_bytes(digest) % WHOLE
