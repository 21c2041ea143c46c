"""API Gateway's HTTP API, as an ASGI application: requests become payload 2.0 events, answers become responses.

Event: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import asyncio
import base64
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from maas_local.channel import Frame
from maas_local.functions import PAYLOAD_LIMIT_BYTES, FunctionError, Functions, payload_bytes
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.template import Authorizer, Route

KNOWN_PATHS = 1000
BODY_LIMIT_BYTES = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
# Bodies that the real gateway passes on as text; all others, also forms and bodies without a type, are base64.
_TEXT = re.compile(r"\s*(text/|application/(json|javascript|xml)\s*(;|$))", re.IGNORECASE)
_NOT_PASSED_ON = {"content-length", "transfer-encoding", "connection"}  # set by this gateway
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
        event = _event(scope, route, path_parameters)
        if route.authorizer:
            event["requestContext"]["authorizer"] = {"lambda": await self._authorization(route.authorizer, event)}
        frame = _frame(event, body)
        if payload_bytes(frame) > PAYLOAD_LIMIT_BYTES:
            raise _Answer(413, "Request Entity Too Large")
        try:
            async with asyncio.timeout(INTEGRATION_SECONDS):
                result, body = await self._functions.invoke_beside(route.function, frame)
            return _response(result, body)
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
        asked = event | {"type": "REQUEST", "identitySource": list(identity), "routeArn": _route_arn(event)}
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


def _event(scope: Scope, route: Route, path_parameters: dict[str, str]) -> dict[str, Any]:
    """The event without its body."""
    headers: dict[str, str] = {}
    cookies = []
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cookie":
            cookies += value.split("; ")
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    method, path, query = scope["method"], scope["path"], scope["query_string"].decode("latin-1")
    now = time.time()
    http = {
        "method": method,
        "path": path,
        "protocol": f"HTTP/{scope['http_version']}",
        "sourceIp": scope["client"][0] if scope.get("client") else "127.0.0.1",
        "userAgent": headers.get("user-agent", ""),
    }
    context = {
        "accountId": "anonymous",
        "apiId": "local",
        "domainName": headers.get("host", "localhost"),
        "domainPrefix": "localhost",
        "http": http,
        "requestId": os.urandom(8).hex(),
        "routeKey": f"{route.method} {route.path}",
        "stage": "$default",
        "time": _clock(int(now)),
        "timeEpoch": int(now * 1000),
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": context["routeKey"],
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        values: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            values[name] = f"{values[name]},{value}" if name in values else value
        event["queryStringParameters"] = values
    if path_parameters:
        event["pathParameters"] = path_parameters
    return event


def _frame(event: dict[str, Any], body: bytes) -> Frame:
    """The event, and beside it what its field `body` will be: a text as it is, or base64."""
    is_text = bool(_TEXT.match(event["headers"].get("content-type", "")))
    event["isBase64Encoded"] = bool(body) and not is_text
    if body:
        event["body"] = ""
    return Frame(orjson.dumps(event), body if is_text else base64.b64encode(body))


def _route_arn(event: dict[str, Any]) -> str:
    http = event["requestContext"]["http"]
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:local/$default/{http['method']}{http['path']}"


@lru_cache(1)
def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def _response(result: Any, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and content, from a result whose `body` is beside it.

    A result without statusCode is the JSON body of a 200, as in API Gateway.

    Raises ValueError, TypeError or AttributeError for an invalid part.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        whole = result | {"body": body.decode()} if body else result
        return 200, [(b"content-type", b"application/json")], orjson.dumps(whole)
    if result.get("body"):
        raise TypeError("body is no text")
    content = base64.b64decode(body) if result.get("isBase64Encoded") else body
    headers = [
        (name.lower().encode("latin-1"), str(value).encode("latin-1"))
        for name, value in (result.get("headers") or {}).items()
        if name.lower() not in _NOT_PASSED_ON
    ]
    headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in result.get("cookies") or ()]
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain; charset=utf-8"))
    status = int(result["statusCode"])
    if not 200 <= status < 600:
        raise ValueError(f"statusCode {status}")
    return status, headers, content


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
