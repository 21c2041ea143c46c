"""API Gateway's payload format 2.0: requests become events, results of functions become responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import os
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from maas_local.channel import Frame
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.template import Route

# Bodies that the real gateway passes on as text; all others, also forms and bodies without a type, are base64.
_TEXT = re.compile(r"\s*(text/|application/(json|javascript|xml)\s*(;|$))", re.IGNORECASE)
_NOT_PASSED_ON = {"content-length", "transfer-encoding", "connection"}  # set by this gateway


def event_of(scope: dict[str, Any], route: Route, path_parameters: dict[str, str]) -> dict[str, Any]:
    """The event without its body."""
    headers, cookies = _headers(scope["headers"])
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


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], list[str]]:
    """Values of one name are joined; cookies stand apart."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cookie":
            cookies += value.split("; ")
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers, cookies


def frame(event: dict[str, Any], body: bytes) -> Frame:
    """The event, and beside it what its field `body` will be: a text as it is, or base64."""
    is_text = bool(_TEXT.match(event["headers"].get("content-type", "")))
    event["isBase64Encoded"] = bool(body) and not is_text
    if body:
        event["body"] = ""
    return Frame(orjson.dumps(event), body if is_text else base64.b64encode(body))


def route_arn(event: dict[str, Any]) -> str:
    http = event["requestContext"]["http"]
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:local/$default/{http['method']}{http['path']}"


def response(result: Any, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
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


@lru_cache(1)
def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
