"""Errors in the shapes that the clients of each API read."""

from collections.abc import Mapping
from typing import Any

from maas.tasks.steps import IMAGE, TEXT

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    410: "not_found_error",
    429: "rate_limit_error",
}
_INVALID = "invalid_request_error"
_CODES: Mapping[int, str] = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def openai_error(status: int, document: Mapping[str, Any], texts: str) -> dict[str, Any]:
    """`document` is the error as our own routes have it; `texts` is the field of the texts here."""
    document = _beside_fields(document)
    field = document.get("field")
    kind = "server_error" if status >= 500 else _TYPES.get(status, _INVALID)
    param = texts if field in (TEXT, IMAGE) else field and field.partition("[")[0]
    return {"error": {"message": document["error"], "type": kind, "param": param, "code": _CODES.get(status)}}


def openai_route_error(message: str) -> dict[str, Any]:
    """Of a path or method that is not here."""
    return {"error": {"message": message, "type": _INVALID, "param": None, "code": None}}


def tei_error(status: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """As text-embeddings-inference has it, with the field."""
    kind = "Backend" if status >= 500 else "Unauthorized" if status in (401, 403) else "Validation"
    return {**_beside_fields(document), "error_type": kind}


def _beside_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """Options stand beside the body's other fields here."""
    return {name: value.removeprefix("parameters.") for name, value in document.items()}
