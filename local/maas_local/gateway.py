"""API Gateway's HTTP API, as an ASGI application: matches routes, asks authorizers, calls functions."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any

import orjson

from maas_local import payload
from maas_local.functions import PAYLOAD_LIMIT_BYTES, FunctionError, Functions, payload_bytes
from maas_local.template import Authorizer, Route

KNOWN_PATHS = 1000
BODY_LIMIT_BYTES = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
_log = logging.getLogger(__name__)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
OnAnswer = Callable[[str, str, int, float], None]


class _Answer(Exception):
    """A response of the gateway itself, such as 404 or 413."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Gateway:
    """Calls `on_answer` with method, path, status and milliseconds of each request."""

    def __init__(self, routes: Iterable[Route], functions: Functions, on_answer: OnAnswer | None = None) -> None:
        ordered = sorted(routes, key=_specificity)
        self._routes = [(route, _pattern(route.path)) for route in ordered]
        self._match = lru_cache(KNOWN_PATHS)(self._matching)  # a few paths are asked for again and again
        self._functions, self._on_answer = functions, on_answer
        self._authorized: dict[tuple[str, ...], tuple[float, dict[str, Any]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        started = time.perf_counter()
        try:
            status, headers, body = await self._respond(scope, receive)
        except _Answer as answer:
            status, headers = answer.status, [(b"content-type", b"application/json")]
            body = orjson.dumps({"message": answer.message})
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        if self._on_answer:
            self._on_answer(scope["method"], scope["path"], status, (time.perf_counter() - started) * 1000)

    async def _respond(self, scope: Scope, receive: Receive) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        route, path_parameters = self._match(scope["method"], scope["path"])
        body = await _body(receive)
        event = payload.event_of(scope, route, path_parameters)
        if route.authorizer:
            event["requestContext"]["authorizer"] = {"lambda": await self._authorization(route.authorizer, event)}
        frame = payload.frame(event, body)
        if payload_bytes(frame) > PAYLOAD_LIMIT_BYTES:
            raise _Answer(413, "Request Entity Too Large")
        try:
            async with asyncio.timeout(INTEGRATION_SECONDS):
                result, body = await self._functions.invoke_beside(route.function, frame)
            return payload.response(result, body)
        except FunctionError as error:
            _log.error("%s failed: %s", route.function, error)
            if error.details.get("errorType") == "Sandbox.Timedout":
                raise _Answer(503, "Service Unavailable") from None
        except TimeoutError:
            raise _Answer(503, "Service Unavailable") from None
        except (ValueError, TypeError, AttributeError) as error:
            _log.error("%s returned an invalid response: %s", route.function, error)
        raise _Answer(500, "Internal Server Error")

    async def _authorization(self, authorizer: Authorizer, event: dict[str, Any]) -> dict[str, Any]:
        """The context from the authorizer, or from its cache. Raises _Answer if it refuses the request."""
        identity = tuple(event["headers"].get(name, "") for name in authorizer.headers)
        if not all(identity):
            raise _Answer(401, "Unauthorized")
        until, context = self._authorized.get(identity, (0.0, None))
        if context is not None and time.monotonic() < until:
            return context
        asked = event | {"type": "REQUEST", "identitySource": list(identity), "routeArn": payload.route_arn(event)}
        try:
            result = await self._functions.invoke(authorizer.function, asked)
        except FunctionError as error:
            _log.error("%s failed: %s", authorizer.function, error)
            raise _Answer(500, "Internal Server Error") from None
        if not isinstance(result, dict) or not isinstance(result.get("isAuthorized"), bool):
            _log.error("%s returned an invalid authorizer response: %s", authorizer.function, result)
            raise _Answer(500, "Internal Server Error")
        if not result["isAuthorized"]:
            raise _Answer(403, "Forbidden")
        context = result.get("context") or {}
        if authorizer.remembered_seconds:
            self._authorized[identity] = (time.monotonic() + authorizer.remembered_seconds, context)
        return context

    def _matching(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        for route, pattern in self._routes:
            if route.method in ("ANY", method) and (found := pattern.fullmatch(path)):
                return route, found.groupdict()
        raise _Answer(404, "Not Found")


def _specificity(route: Route) -> tuple[bool, int, int, bool]:
    """Sort key: exact paths before greedy ones, long before short, few variables before many, a method before ANY."""
    return "+}" in route.path, -route.path.count("/"), route.path.count("{"), route.method == "ANY"


def _pattern(path: str) -> re.Pattern[str]:
    """A greedy parameter may be empty: `/v2/{proxy+}` takes `/v2/`."""
    parts = re.split(r"\{(\w+)(\+?)\}", path)  # literal, name, greedy, literal, …
    names = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    rest = (f"(?P<{name}>{'.*' if greedy else '[^/]+'}){re.escape(after)}" for name, greedy, after in names)
    return re.compile(re.escape(parts[0]) + "".join(rest), re.DOTALL)


async def _body(receive: Receive) -> bytes:
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT_BYTES:
            raise _Answer(413, "Request Entity Too Large")
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
