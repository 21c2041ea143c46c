"""HTTP requests from Lambda events of every source, and answers in the form that the source expects.

Sources: API Gateway's HTTP API (payload 2.0 or 1.0), its REST API (1.0), function URLs (2.0), load balancers.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

from maas.errors import InvalidRequest
from maas.event_kinds import as_mapping, is_http, kind_of
from maas.telemetry.observation import Observation, served_version, server_timing
from maas.telemetry.request_log import Handler, observed
from maas.web.events import error_answer

# Frameworks build URLs from these headers, which a caller can set to anything. Nothing here needs them.
_NOT_PASSED_ON = {"host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-host"}
VERSION_HEADER = "maas-version"  # on each answer of an inference, errors too, once it is known which version answers
TIMING_HEADER = "server-timing"  # of a request that prefers it: https://www.w3.org/TR/server-timing/
Answer = dict[str, Any]


class Request(NamedTuple):
    """`path` is the path of the API's own route, decoded, without stage, mapping path and trailing slash.

    `method` is GET for HEAD, whose answers lose their body. Header names are lower case, repeated headers joined.
    `context` is the source's request context, which callers cannot write.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    context: Mapping[str, Any]


def http_function(
    respond: Callable[[Request, Any], Answer], count: Callable[[Observation], None] | None = None
) -> Handler:
    """A Lambda handler that answers HTTP requests with `respond(request, lambda_context)`.

    `count` gets what was observed of each inference.
    Other events, such as those that keep functions warm, are answered with `{"ignored": KIND}`. Whatever is wrong with
    an event, and whatever `respond` raises, is an error answer.
    """

    def handler(event: dict[str, Any], context: Any) -> Answer:
        if not is_http(event):
            return {"ignored": kind_of(event)}
        try:
            request = request_of(event)
            if request.method == "OPTIONS":  # API Gateway adds CORS headers if the template names origins
                answer: Answer = {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}
            else:
                answer = respond(request, context)
        except Exception as error:
            answer = error_answer(error)
        version = served_version()
        if version is not None:
            answer["headers"][VERSION_HEADER] = str(version)
            if TIMING_HEADER in request.headers.get("prefer", "") and (stages := server_timing()):
                answer["headers"][TIMING_HEADER] = stages
        return _shaped(answer, event)

    return observed(handler, count)


def request_of(event: Mapping[str, Any]) -> Request:
    """Raises InvalidRequest for an event whose parts have wrong types or text that is no valid Unicode."""
    try:
        return _request_of(event)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(f"the event is no valid HTTP request: {type(error).__name__} {error!s:.200}") from None


def asgi_event(request: Request) -> dict[str, Any]:
    """The request in payload 2.0, for an ASGI adapter; all sources look alike there."""
    http = {"method": request.method, "path": quote(request.path), "sourceIp": ""}
    caller = {name: request.context.get(name) for name in ("authorizer", "identity")}
    return {
        "version": "2.0",
        "rawQueryString": request.query,
        "headers": {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON},
        "requestContext": caller | {"http": http},
        "body": request.body,
        "isBase64Encoded": False,
    }


def _request_of(event: Mapping[str, Any]) -> Request:
    context = as_mapping(event.get("requestContext"))
    http = context.get("http")
    if http:
        method, raw_path, query = http["method"], event["rawPath"], event.get("rawQueryString") or ""
    else:
        method, raw_path, query = event["httpMethod"], event["path"], _query(event, "elb" in context)
    path = _route_path(event, context, raw_path)
    if "%" in path:
        path = unquote(path, errors="strict")
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    headers = _headers(event)
    "".join(
        (method, path, query, *headers, *headers.values())
    ).encode()  # raises for lone surrogates: none can be quoted
    body = event.get("body") or ""
    return Request(
        "GET" if method == "HEAD" else method,
        path,
        query,
        headers,
        base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        context,
    )


def _route_path(event: Mapping[str, Any], context: Mapping[str, Any], raw_path: str) -> str:
    """The path as the API's route has it. Only raw paths contain the stage or a custom domain's mapping path."""
    route: str = (event.get("routeKey") or "").partition(" ")[2] or event.get("resource") or ""
    if not route.startswith("/"):
        return _stageless(context, raw_path)
    literal, parts = _parsed(route)
    filled = _filled(literal, parts, event.get("pathParameters") or {})
    if filled is not None:
        return filled
    stageless = _stageless(context, raw_path)
    if stageless.startswith(literal):
        return stageless
    return raw_path[max(raw_path.find(literal), 0) :]


def _stageless(context: Mapping[str, Any], raw_path: str) -> str:
    stage = f"/{context.get('stage')}"
    has_stage = "http" in context and raw_path.startswith(f"{stage}/")  # payload 1.0 has no stage in its path
    return raw_path[len(stage) :] if has_stage else raw_path


def _filled(literal: str, parts: Sequence[tuple[str, str]], parameters: Mapping[str, str]) -> str | None:
    """`/v2/{proxy+}` with the values of its parameters; None if one is missing."""
    filled = [literal]
    for name, after in parts:
        value = parameters.get(name)
        if value is None:
            return None
        filled += [value, after]
    return "".join(filled)


@lru_cache(64)
def _parsed(route: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first parameter; each parameter's name and the text after it."""
    literal, *parts = route.split("{")
    names = (part.partition("}") for part in parts)
    return literal, [(name.removesuffix("+"), after) for name, _, after in names]


def _query(event: Mapping[str, Any], is_encoded: bool) -> str:
    """The query string of payload 1.0, whose values are decoded, or of a load balancer, which leaves them encoded."""
    many = event.get("multiValueQueryStringParameters")
    one = event.get("queryStringParameters") or {}
    pairs = [(name, value) for name, values in (many or {}).items() for value in values] if many else [*one.items()]
    if is_encoded:
        return "&".join(f"{name}={value}" for name, value in pairs)
    return urlencode(pairs)


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case names: API Gateway sends them so, `sam local` and load balancers keep the client's case."""
    many = event.get("multiValueHeaders")
    if many:
        return {name.lower(): ", ".join(values) for name, values in many.items()}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _shaped(answer: Answer, event: Mapping[str, Any]) -> Answer:
    context = as_mapping(event.get("requestContext"))
    method = as_mapping(context.get("http")).get("method") or event.get("httpMethod")
    if method == "HEAD":
        answer = answer | {"body": "", "isBase64Encoded": False}
    if "elb" in context:
        answer = answer | {"statusDescription": f"{answer['statusCode']} {HTTPStatus(answer['statusCode']).phrase}"}
        if "multiValueHeaders" in event:  # then a load balancer reads no others
            headers = answer.pop("headers", {})
            answer["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    return answer
