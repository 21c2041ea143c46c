"""POSTs to a URL that a caller named, and only to public addresses.

The host is resolved once, every address is checked, and the connection goes to a checked address, so that a DNS name
that changes in between cannot redirect it to a private one. Redirects are not followed. The time limit holds for an
attempt as a whole, however slowly the host reads or answers.
"""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from maas.errors import InvalidRequest
from maas.notices.addresses import is_public, is_public_host

ATTEMPT_SECONDS = 10.0
MAX_URL = 2000
PAUSES_SECONDS = (1.0, 3.0, None)  # between three attempts


def check(url: str, field: str) -> str:
    """Return `url`; raises InvalidRequest unless it is https to a host name or a public address."""
    parts = _split(url)
    problem = "expected an https URL in ASCII, without spaces and credentials"
    if parts and parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and len(url) <= MAX_URL:
        problem = "expected a public host"
        if not _is_host(parts.hostname):
            problem = "expected a host with labels of 1 to 63 characters"
        elif is_public_host(parts.hostname):
            return url
    raise InvalidRequest(f"{field}: got {url!r:.200}, {problem}", field=field)


def check_notify(notify: str | None) -> str | None:
    """Return `notify`; raises InvalidRequest unless it is None, the ARN of an SNS topic or a URL to a public host."""
    if notify is None or (notify.startswith("arn:") and notify.count(":") == 5 and ":sns:" in notify):
        return notify
    return check(notify, "notify")


def post(url: str, message: Mapping[str, Any]) -> str | None:
    """POST the message in up to three attempts; returns None on success, else why the last one failed."""
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
    """IPv4 first: a function may have no IPv6 route."""
    found = dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return sorted(found, key=lambda address: ":" in address)


class _Pinned(http.client.HTTPSConnection):
    """TLS for `host`, connected to the first of `addresses` that accepts, all before `deadline` (time.monotonic)."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], deadline: float) -> None:
        self._tls = ssl.create_default_context()
        self._tls.sslsocket_class = _Limited
        super().__init__(host, port, context=self._tls)
        self._addresses, self._deadline = addresses, deadline

    def connect(self) -> None:
        plain = self._connected()
        plain.settimeout(_left(self._deadline))  # for the whole handshake
        self.sock = secured = self._tls.wrap_socket(plain, server_hostname=self.host)
        assert isinstance(secured, _Limited)
        secured.deadline = self._deadline

    def _connected(self) -> socket.socket:
        """Each address gets an equal share of the remaining time."""
        problem = OSError("no address")
        for index, address in enumerate(self._addresses):
            share = _left(self._deadline) / (len(self._addresses) - index)
            try:
                return socket.create_connection((address, self.port), share)
            except OSError as error:
                problem = error
        raise problem


class _Limited(ssl.SSLSocket):
    """Limits all operations together to `deadline`: a socket's own timeout holds for each operation alone."""

    deadline: float

    def recv_into(self, *arguments: Any, **more: Any) -> int:
        self.settimeout(_left(self.deadline))
        return super().recv_into(*arguments, **more)

    def send(self, *arguments: Any, **more: Any) -> int:
        self.settimeout(_left(self.deadline))
        return super().send(*arguments, **more)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError if it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _split(url: str) -> SplitResult | None:
    if not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = urlsplit(url)
        return None if parts.port == 0 else parts  # ValueError: a port that is no number
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False
