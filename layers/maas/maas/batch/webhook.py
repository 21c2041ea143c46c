"""A POST to an address that a caller named: only ever to a public one, whatever its name resolves to.

The name is resolved once, each address is held against the public ranges, and the connection goes to the address that
was checked, so that a name which changes in between cannot lead elsewhere. Redirects are not followed.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from maas.errors import InvalidRequest

TIMEOUT_SECONDS = 10
MAX_URL = 2000
PAUSES_SECONDS = (1.0, 3.0, None)  # between three attempts


def check(url: str, field: str) -> str:
    """Return `url`; raises InvalidRequest unless it is https to a host that is no private address itself."""
    parts = _split(url)
    problem = "expected an https URL without credentials"
    if parts and parts.scheme == "https" and parts.hostname and not parts.username and len(url) <= MAX_URL:
        if _is_public_or_name(parts.hostname):
            return url
        problem = "expected a public host"
    raise InvalidRequest(f"{field}: got {url!r:.200}, {problem}", field=field)


def post(url: str, message: Mapping[str, Any]) -> str | None:
    """None once the host took it, else why it did not, however often it was asked."""
    for pause_seconds in PAUSES_SECONDS:
        problem = _post_once(urlsplit(url), json.dumps(message).encode())
        if problem is None or pause_seconds is None:
            return problem
        time.sleep(pause_seconds)
    raise AssertionError


def _post_once(parts: SplitResult, body: bytes) -> str | None:
    host, port = parts.hostname or "", parts.port or 443
    try:
        addresses = sorted({str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        return f"{host} cannot be resolved ({error})"
    private = [one for one in addresses if not is_public(one)]
    if private:
        return f"{host} is {private[0]}, which is not a public address"
    connection = _Pinned(host, port, addresses[0])
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {"content-type": "application/json"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{host} did not answer ({type(error).__name__})"
    finally:
        connection.close()
    return None if 200 <= status < 300 else f"{host} answered {status}"


def is_public(address: str) -> bool:
    """Neither private, loopback, link-local (the metadata service), shared, multicast nor reserved."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            found = inner
        elif found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address in an IPv6 one


class _Pinned(http.client.HTTPSConnection):
    """TLS for `host`, to `address`."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._address, self._tls = address, ssl.create_default_context()

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT_SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is none
        return parts
    except ValueError:
        return None


def _is_public_or_name(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))
