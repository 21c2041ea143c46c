"""HTTP at the edge without a web framework: events in, answers out, and which error is which status."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from maas import errors
from maas.observability import logger

# The single table: looked up along the class's ancestors, so a subclass has its parent's status unless it has its own.
STATUS: Mapping[type[errors.MaasError], int] = {
    errors.InvalidRequest: 400,
    errors.RunFailed: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.ModelRejected: 500,
    errors.ArtifactCorrupt: 500,
    errors.Contended: 503,
    errors.ServiceUnavailable: 503,
    errors.InsufficientStorage: 507,
}
INTERNAL_ERROR = "internal error; its trace is in the function's log under the request id"
PAYLOAD_LIMIT_BYTES = (
    6 * 1024 * 1024 - 1024
)  # less the envelope; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

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


def answer(status: int, body: bytes) -> dict[str, Any]:
    """A JSON answer in the form that both payload formats take.

    Raises TooLarge when Lambda could not carry it: it travels as a string in JSON, where quotes and backslashes double.
    """
    size_bytes = len(body) + body.count(b'"') + body.count(b"\\")
    if size_bytes > PAYLOAD_LIMIT_BYTES:
        raise errors.TooLarge(
            f"the answer has {size_bytes:,} bytes, Lambda carries {PAYLOAD_LIMIT_BYTES:,}: "
            "ask for fewer outputs or send fewer rows in one request"
        )
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def error_answer(error: Exception) -> dict[str, Any]:
    status, document = error_document(error)
    return answer(status, orjson.dumps(document))


def error_document(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body of an error; what is not ours is logged with its trace and told as an internal error."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status >= 500:
        logger().error("request failed", exc_info=error)
    if not isinstance(error, errors.MaasError):
        return status, {"error": INTERNAL_ERROR}
    return status, {"error": error.message} | ({"field": error.field} if error.field else {})
