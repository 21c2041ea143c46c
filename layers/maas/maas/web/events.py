"""HTTP at the edge without a web framework: events in, answers out, and which error is which status."""

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from maas import errors
from maas.telemetry.observability import logger
from maas.telemetry.request_log import request_ids

# The single table: looked up along the class's ancestors, so a subclass has its parent's status unless it has its own.
STATUS: Mapping[type[errors.MaasError], int] = {
    errors.InvalidRequest: 400,
    errors.RunFailed: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.QuotaExceeded: 429,
    errors.ModelRejected: 500,
    errors.ArtifactCorrupt: 500,
    errors.NotOffered: 501,
    errors.Contended: 503,
    errors.ServiceUnavailable: 503,
    errors.DeadlineExceeded: 504,
    errors.InsufficientStorage: 507,
}
INTERNAL_ERROR = "internal error; its trace is in the function's log under the request id"
PAYLOAD_LIMIT_BYTES = (
    6 * 1024 * 1024 - 1024
)  # less the envelope; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_ESCAPE = 6  # bytes of one character in JSON: a control character

# Messages quote names of the caller's: an error that repeats megabytes could not be carried back.
ERROR_LIMIT = 20_000

# What is left to answer in when a call is ended before Lambda would kill it.
MARGIN_SECONDS = 0.5

INFER = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?/infer")


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` have lower-case names: `sam local` keeps their case, API Gateway lowers it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def request_of(event: Mapping[str, Any]) -> Request:
    """From an API Gateway event, payload format 2.0 (HTTP API, Function URL) or 1.0 (REST API)."""
    context = event.get("requestContext") or {}
    http = context.get("http")
    method, path = (http["method"], event["rawPath"]) if http else (event["httpMethod"], event["path"])
    stage = f"/{context.get('stage')}"
    if http and path.startswith(f"{stage}/"):  # only format 2.0 leaves the stage in the path
        path = path[len(stage) :]
    body = event.get("body") or ""
    return Request(
        method,
        unquote(path),
        {name.lower(): value for name, value in (event.get("headers") or {}).items()},
        base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )


def deadline_of(context: Any) -> float:
    """When this invocation has to be over, of time.monotonic; `context` is Lambda's."""
    remaining_seconds: float = context.get_remaining_time_in_millis() / 1000
    return time.monotonic() + remaining_seconds - MARGIN_SECONDS


def answer(
    status: int, body: bytes, headers: Mapping[str, str] | None = None, *, binary: bool = False
) -> dict[str, Any]:
    """An answer in the form that both payload formats take: JSON, or `binary` with what `headers` say it is.

    Raises TooLarge.
    """
    check_size(body, binary=binary)
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": base64.b64encode(body).decode() if binary else body.decode(),
        "isBase64Encoded": binary,
    }


def preflight(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to OPTIONS, None to all else. API Gateway adds the headers, where the template names origins."""
    context = event.get("requestContext") or {}
    method = (context.get("http") or {}).get("method") or event.get("httpMethod")
    return {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False} if method == "OPTIONS" else None


def check_size(body: bytes, *, binary: bool = False) -> None:
    """Raises TooLarge when Lambda could not carry an answer.

    It travels as a string in JSON, where quotes and backslashes double and bytes become base64.
    """
    if binary:
        _check_size_bytes(-(-len(body) // 3) * 4)
    elif len(body) * 2 > PAYLOAD_LIMIT_BYTES:  # to count takes long: only where it matters
        _check_size_bytes(len(body) + body.count(b'"') + body.count(b"\\"))


def carried(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer of another framework, of whatever text, or 413 in its place when Lambda could not carry it."""
    if len(answer["body"]) * LONGEST_ESCAPE <= PAYLOAD_LIMIT_BYTES:
        return answer
    try:
        _check_size_bytes(len(orjson.dumps(answer["body"])))
    except errors.TooLarge as error:
        return error_answer(error)
    return answer


def _check_size_bytes(size_bytes: int) -> None:
    if size_bytes > PAYLOAD_LIMIT_BYTES:
        raise errors.TooLarge(
            f"the answer has {size_bytes:,} bytes on its way, Lambda carries {PAYLOAD_LIMIT_BYTES:,}: "
            "ask for fewer outputs, for binary data or compression, send fewer rows in one request, "
            "or take the asynchronous way, which has no such limit (Prefer: respond-async)"
        )


def error_answer(error: Exception) -> dict[str, Any]:
    status, document = error_document(error)
    return answer(status, orjson.dumps(document), error_headers(error))


def error_headers(error: Exception) -> dict[str, str]:
    """What an error says in headers: how to authenticate, when to come again."""
    if isinstance(error, errors.NotAuthenticated):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, errors.QuotaExceeded):
        return {"retry-after": str(error.retry_after_seconds)}
    return {}


def error_document(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body of an error; what is not ours is logged with its trace and told as an internal error."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status >= 500:
        logger().error("request failed", exc_info=error, extra=request_ids())
    if not isinstance(error, errors.MaasError):
        return status, {"error": INTERNAL_ERROR}
    named = {"field": error.field[:ERROR_LIMIT]} if error.field else {}
    return status, {"error": error.message[:ERROR_LIMIT]} | named
