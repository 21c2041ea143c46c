"""Answers of the HTTP functions without a web framework: sizes, deadlines, and which error has which status."""

import base64
import re
import time
from collections.abc import Mapping
from typing import Any

import orjson

from maas import errors
from maas.telemetry.observability import logger
from maas.telemetry.observation import failed, request_ids

# The only mapping of errors to statuses. A subclass without an entry has the status of its nearest ancestor.
STATUS: Mapping[type[errors.MaasError], int] = {
    errors.InvalidRequest: 400,
    errors.RunFailed: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.RightsExceeded: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.QuotaExceeded: 429,
    errors.ModelRejected: 500,
    errors.ArtifactCorrupt: 500,
    errors.ReadRefused: 500,
    errors.NotOffered: 501,
    errors.Contended: 503,
    errors.ServiceUnavailable: 503,
    errors.DeadlineExceeded: 504,
    errors.InsufficientStorage: 507,
}
INTERNAL_ERROR = "internal error; the traceback is in the function's log under the request id"
# minus 1 kB for status and headers; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024 - 1024
BINARY_LIMIT_BYTES = PAYLOAD_LIMIT_BYTES // 4 * 3  # Lambda carries bytes as base64
LONGEST_ESCAPE = 6  # bytes of one character in JSON at most: \u0000

# Characters of a message. Messages quote the caller's names, which may be megabytes: too much for an answer.
ERROR_LIMIT = 20_000

# Time left for the answer when a call is ended before Lambda's timeout.
MARGIN_SECONDS = 0.5

INFER = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?/infer")


def deadline_of(context: Any) -> float:
    """When this invocation has to end, as time.monotonic; `context` is Lambda's."""
    remaining_seconds: float = context.get_remaining_time_in_millis() / 1000
    return time.monotonic() + remaining_seconds - MARGIN_SECONDS


def answer(
    status: int, body: bytes, headers: Mapping[str, str] | None = None, *, binary: bool = False
) -> dict[str, Any]:
    """An answer for both payload formats: JSON, or `binary` with the content type in `headers`. Raises TooLarge."""
    check_size(body, binary=binary)
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": base64.b64encode(body).decode() if binary else body.decode(),
        "isBase64Encoded": binary,
    }


def check_size(body: bytes, *, binary: bool = False) -> None:
    """Raises TooLarge for an answer beyond Lambda's limit.

    The limit is on the encoded answer: text is a JSON string with escaped quotes and backslashes, bytes are base64.
    """
    if binary:
        if len(body) > BINARY_LIMIT_BYTES:
            limit = f"{BINARY_LIMIT_BYTES:,} of binary or compressed data (6 MB as base64)"
            raise errors.AnswerTooLarge(f"{len(body):,} bytes", limit)
    elif len(body) * 2 > PAYLOAD_LIMIT_BYTES:  # counting is slow: only if escapes could exceed the limit
        _check_text_bytes(len(body) + body.count(b'"') + body.count(b"\\"))


def carried(answer: dict[str, Any], advice: str = errors.AnswerTooLarge.INFERENCE) -> dict[str, Any]:
    """The answer of a web framework with any text, or 413 with the advice if it is beyond Lambda's limit."""
    if len(answer["body"]) * LONGEST_ESCAPE <= PAYLOAD_LIMIT_BYTES:
        return answer
    try:
        _check_text_bytes(len(orjson.dumps(answer["body"])), advice)
    except errors.TooLarge as error:
        return error_answer(error)
    return answer


def _check_text_bytes(size_bytes: int, advice: str = errors.AnswerTooLarge.INFERENCE) -> None:
    if size_bytes > PAYLOAD_LIMIT_BYTES:
        limit = f"{PAYLOAD_LIMIT_BYTES:,} of text, with a backslash before each quote (6 MB)"
        raise errors.AnswerTooLarge(f"{size_bytes:,} bytes", limit, advice)


def error_answer(error: Exception) -> dict[str, Any]:
    status, document = error_document(error)
    return answer(status, orjson.dumps(document), error_headers(error))


def error_headers(error: Exception) -> dict[str, str]:
    """Headers of an error: www-authenticate, retry-after."""
    if isinstance(error, errors.NotAuthenticated):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, errors.QuotaExceeded):
        return {"retry-after": str(error.retry_after_seconds)}
    return {}


def error_document(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body of an error. An exception that is no MaasError is logged and answered as an internal error."""
    if isinstance(error, MemoryError):
        error = errors.OutOfMemory()
    failed(error)
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status >= 500:
        logger().error("request failed", exc_info=error, extra=request_ids())
    if not isinstance(error, errors.MaasError):
        return status, {"error": INTERNAL_ERROR}
    named = {"field": quotable(error.field)} if error.field else {}
    return status, {"error": quotable(error.message)} | named


def quotable(text: str) -> str:
    """Short enough for an answer, and without lone surrogates, which no JSON text can contain."""
    return text[:ERROR_LIMIT].encode(errors="replace").decode()
