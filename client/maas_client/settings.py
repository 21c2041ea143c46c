"""How a server is reached: URL, key, proxies and certificates, from arguments or the environment."""

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from maas_client.calls import ATTEMPT_SECONDS, CONNECT_SECONDS
from maas_client.errors import InvalidInput
from maas_client.sigv4 import SigV4, aws_host

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT = httpx.Timeout(ATTEMPT_SECONDS, connect=CONNECT_SECONDS)
# Connections outlive a pause between calls: a new one to AWS costs several round trips.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)


@dataclass(frozen=True, slots=True)
class Server:
    """`connection` are the arguments of an httpx client that reaches `url` as this caller."""

    url: str
    connection: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, url: str | None, api_key: str | None) -> "Server":
        """`url` and `api_key` default to MAAS_URL and MAAS_API_KEY. Raises InvalidInput for what cannot be one."""
        url = (url or os.environ.get("MAAS_URL") or DEFAULT_URL).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"the URL {url!r} is not one: it should look like {DEFAULT_URL} or https://HOST")
        key = api_key or os.environ.get("MAAS_API_KEY")
        if key and not (key.isascii() and key.isprintable()):
            raise InvalidInput("the API key has characters that no header can carry: was it copied whole and alone?")
        signer = None if key else aws_host(parts.hostname)
        caller = {"headers": {"x-api-key": key} if key else {}, "auth": SigV4(signer) if signer else None}
        return cls(url, connection_to(url) | caller)


def connection_to(url: str) -> dict[str, Any]:
    """The arguments of an httpx client for `url` that knows no key and signs nothing."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")  # proxies of the environment are not for this machine
    verify = parts.scheme == "https"  # reading the certificate store takes longer than a local request
    return {"timeout": TIMEOUT, "limits": LIMITS, "trust_env": not here, "verify": verify}
