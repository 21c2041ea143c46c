"""Blocking HTTP that ends at a deadline: httpx bounds each read and write, not their sum. Written by hand."""

import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from typing import Any

import httpcore
import httpx

from maas_client.settings import LIMITS, Route

PIECE_BYTES = 1 << 16  # written at once; the time left is looked at between pieces
_DEADLINE: ContextVar[float | None] = ContextVar("_DEADLINE", default=None)
_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


@contextmanager
def until(deadline: float | None) -> Iterator[None]:
    """What this thread reads and writes in here raises httpx.ReadTimeout after the deadline (of time.monotonic)."""
    token = _DEADLINE.set(deadline)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


class DeadlineTransport(httpx.BaseTransport):
    """A pool of connections whose streams know the deadline."""

    def __init__(self, route: Route) -> None:
        self._pool = _pool(route)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent = httpcore.Request(
            request.method,
            target,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(sent)
        except _FAILURES as error:
            raise _as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


def _pool(route: Route) -> httpcore.ConnectionPool:
    shared: dict[str, Any] = {
        "ssl_context": route.certificates,
        "max_connections": LIMITS.max_connections,
        "max_keepalive_connections": LIMITS.max_keepalive_connections,
        "keepalive_expiry": LIMITS.keepalive_expiry,
        "network_backend": _Backend(),
    }
    if route.proxy is None:
        return httpcore.ConnectionPool(**shared)
    url = str(route.proxy.url)
    if url.startswith("socks"):
        return httpcore.SOCKSProxy(url, proxy_auth=route.proxy.raw_auth, **shared)
    return httpcore.HTTPProxy(url, proxy_auth=route.proxy.raw_auth, **shared)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_stream()
        except _FAILURES as error:
            raise _as_httpx(error) from error

    def close(self) -> None:
        try:
            self._answer.close()
        except _FAILURES as error:
            raise _as_httpx(error) from error


def _as_httpx(error: Exception) -> Exception:
    """The error of httpx, which has the same name."""
    kind: type[Exception] = getattr(httpx, type(error).__name__)
    return kind(str(error))


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in _addresses(host, port, _left(timeout)):
            try:
                return _Stream(super().connect_tcp(address, port, _left(timeout), local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")


def _addresses(host: str, port: int, timeout: float | None) -> list[str]:
    """The addresses of a name, as numbers. Raises ConnectError, ConnectTimeout.

    The system's resolver knows no time limit, so a thread waits for it.
    """
    found: Future[list[str]] = Future()

    def resolve() -> None:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([str(address[0]) for *_, address in known])
        except (OSError, UnicodeError) as error:  # UnicodeError: a label longer than 63 characters
            found.set_exception(httpcore.ConnectError(str(error)))

    Thread(target=resolve, daemon=True).start()
    try:
        return found.result(timeout)
    except TimeoutError:
        raise httpcore.ConnectTimeout(f"the address of {host} was not found in time") from None


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE_BYTES):
            self._stream.write(buffer[start : start + PIECE_BYTES], _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    """The timeout, or the time until the deadline if that is less. Raises ReadTimeout after it."""
    deadline = _DEADLINE.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("no complete answer within the time limit")
    return left if timeout is None else min(timeout, left)
