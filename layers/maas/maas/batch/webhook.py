"""A POST to an address that a caller named: only ever to a public one, whatever its name resolves to.

The name is resolved once, each address is held against the public ranges, and connections go to addresses that were
checked, so that a name which changes in between cannot lead elsewhere. Redirects are not followed. An attempt has its
time as a whole, however little at a time the host takes or says.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from maas.errors import InvalidRequest

ATTEMPT_SECONDS = 10.0
MAX_URL = 2000
PAUSES_SECONDS = (1.0, 3.0, None)  # between three attempts


def check(url: str, field: str) -> str:
    """Return `url`; raises InvalidRequest unless it is https to a host that is no private address itself."""
    parts = _split(url)
    problem = "expected an https URL in ASCII, without spaces and credentials"
    if parts and parts.scheme == "https" and parts.hostname and not parts.username and len(url) <= MAX_URL:
        problem = "expected a public host"
        if not _is_host(parts.hostname):
            problem = "expected a host with labels of 1 to 63 characters"
        elif _is_public_or_name(parts.hostname):
            return url
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
    deadline = time.monotonic() + ATTEMPT_SECONDS
    host, port = parts.hostname or "", parts.port or 443
    try:
        addresses = _addresses(host, port)
    except (OSError, ValueError) as error:
        return f"{host} cannot be resolved ({error})"
    private = [one for one in addresses if not is_public(one)]
    if private:
        return f"{host} is {private[0]}, which is not a public address"
    connection = _Pinned(host, port, addresses, deadline)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {"content-type": "application/json"})
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{host} did not answer ({type(error).__name__})"
    finally:
        connection.close()
    return None if 200 <= status < 300 else f"{host} answered {status}"


def _addresses(host: str, port: int) -> list[str]:
    """IPv4 first: a function may have no way out over IPv6."""
    found = dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return sorted(found, key=lambda address: ":" in address)


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
    """TLS for `host`, to the first of `addresses` that takes a connection, all of it before `deadline` (monotonic)."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], deadline: float) -> None:
        self._tls = ssl.create_default_context()
        self._tls.sslsocket_class = _Hurried
        super().__init__(host, port, context=self._tls)
        self._addresses, self._deadline = addresses, deadline

    def connect(self) -> None:
        plain = self._connected()
        plain.settimeout(_left(self._deadline))  # of the whole handshake
        self.sock = secured = self._tls.wrap_socket(plain, server_hostname=self.host)
        assert isinstance(secured, _Hurried)
        secured.deadline = self._deadline

    def _connected(self) -> socket.socket:
        """Each address gets an even share of the time that is left."""
        problem = OSError("no address")
        for index, address in enumerate(self._addresses):
            share = _left(self._deadline) / (len(self._addresses) - index)
            try:
                return socket.create_connection((address, self.port), share)
            except OSError as error:
                problem = error
        raise problem


class _Hurried(ssl.SSLSocket):
    """A socket's timeout is of each operation alone; this one's operations have what is left until `deadline`."""

    deadline: float

    def recv_into(self, *arguments: Any, **more: Any) -> int:
        self.settimeout(_left(self.deadline))
        return super().recv_into(*arguments, **more)

    def send(self, *arguments: Any, **more: Any) -> int:
        self.settimeout(_left(self.deadline))
        return super().send(*arguments, **more)


def _left(deadline: float) -> float:
    """Seconds. Raises TimeoutError if there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _split(url: str) -> SplitResult | None:
    if not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is none
        return parts
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def _is_public_or_name(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))
