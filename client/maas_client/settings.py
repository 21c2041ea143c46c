"""How a server is reached: URL, key, proxy and certificates, from arguments or the environment."""

import os
import ssl
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from maas_client.calls import ATTEMPT_SECONDS, CONNECT_SECONDS
from maas_client.errors import InvalidInput
from maas_client.sigv4 import SigV4, aws_host

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT = httpx.Timeout(ATTEMPT_SECONDS, connect=CONNECT_SECONDS)
# Connections outlive a pause between calls: a new one to AWS costs several round trips.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
HERE = ("127.0.0.1", "localhost", "::1")
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Route:
    """A URL with its proxy and the certificates to trust."""

    url: str
    proxy: httpx.Proxy | None
    proxy_variable: str
    certificates: ssl.SSLContext | None

    @classmethod
    def to(cls, url: str) -> "Route":
        """Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR. Raises InvalidInput."""
        is_tls = urlsplit(url).scheme == "https"  # reading certificates takes longer than a local request
        return cls(url, *_proxy(url), _certificates() if is_tls else None)


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the caller's credentials. `api_key` is None unless it was given as an argument."""

    url: str
    api_key: str | None = field(repr=False)
    caller: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, url: str | None, api_key: str | None) -> "Server":
        """`url` and `api_key` default to MAAS_URL and MAAS_API_KEY. Raises InvalidInput for what cannot be one."""
        variable = "url" if url else "MAAS_URL"
        url = checked_url(url or os.environ.get("MAAS_URL") or DEFAULT_URL, variable)
        key = checked_key(api_key or os.environ.get("MAAS_API_KEY"))
        signer = None if key else aws_host(urlsplit(url).hostname or "")
        caller = {"headers": {"x-api-key": key} if key else {}, "auth": SigV4(signer) if signer else None}
        return cls(url, api_key, caller)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the arguments; the process that loads them reads its own environment."""
        return Server.of, (self.url, self.api_key)


def checked_url(url: str, variable: str) -> str:
    """The URL without a trailing slash. Raises InvalidInput."""
    expected = f"expected one like {DEFAULT_URL} or https://HOST/PATH, without user, query and fragment"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises ValueError for what is no number
    except ValueError:
        raise InvalidInput(f"{variable} is {url!r}: {expected}") from None
    is_plain = url.isprintable() and " " not in url and not ("@" in parts.netloc or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain or url.endswith(("?", "#")):
        raise InvalidInput(f"{variable} is {_without_password(url)!r}: {expected}")
    return url.rstrip("/")


def checked_key(key: str | None) -> str | None:
    """The key, or None. Raises InvalidInput for blanks and characters that no header can carry."""
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        variable = "MAAS_API_KEY" if key == os.environ.get("MAAS_API_KEY") else "api_key"
        raise InvalidInput(f"{variable} contains a blank or another character that no API key has: copy the key again")
    return key or None


def _proxy(url: str) -> tuple[httpx.Proxy | None, str]:
    """The proxy for a URL, and the variable that names it."""
    parts = urlsplit(url)
    if parts.hostname in HERE or proxy_bypass(parts.hostname or ""):
        return None, ""
    proxies = getproxies()
    scheme = parts.scheme if parts.scheme in proxies else "all"
    address = proxies.get(scheme)
    if not address:
        return None, ""
    variable = f"{scheme.upper()}_PROXY"
    address = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(address)
        if parts.scheme not in PROXY_SCHEMES or not parts.hostname or parts.port == 0:
            raise ValueError
        proxy = httpx.Proxy(address)
    except (ValueError, httpx.InvalidURL):
        raise InvalidInput(f"{variable} is {_without_password(address)!r}: expected http://HOST:PORT") from None
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise InvalidInput(f"{variable} is a SOCKS proxy, which needs `pip install httpx[socks]`")
    return proxy, variable


def _certificates() -> ssl.SSLContext:
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if folder and not os.path.isdir(folder):
        raise InvalidInput(f"SSL_CERT_DIR is {folder!r}: expected a folder of certificates")
    if not file and not folder:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:
        why = error.strerror or "not a file of certificates"
        raise InvalidInput(f"SSL_CERT_FILE is {file!r}: expected certificates in PEM ({why})") from None


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url
