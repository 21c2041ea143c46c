"""What the API document says beside what FastAPI finds out: refusals, ETags, and where an answer leads."""

from collections.abc import Sequence
from typing import Any

Responses = dict[int | str, dict[str, Any]]

_REFUSALS = {
    400: "The request is not what it should be; `field` says where.",
    401: "No API key, token or signature, or none that is good.",
    403: "The caller's scopes do not reach so far.",
    404: "There is no such model, version, alias or key.",
    409: "The state forbids it.",
    410: "It is deleted; the answer says how to restore it.",
    412: "`If-Match` names another state; `current` is the item as it is.",
    413: "Larger than what Lambda can hold.",
    429: "A quota is used up; `Retry-After` says when to come again.",
    503: "Others keep changing the model, or DynamoDB or S3 do not answer: try again.",
}
_ETAG = {"ETag": {"description": "For `If-Match`.", "schema": {"type": "string"}, "example": '"3"'}}
PURGES: Responses = {
    202: {"description": "The purge goes on: call again, or leave it to the schedule."},
    204: {"description": "Purged."},
}


def refusals(*statuses: int) -> Responses:
    """400, 401, 403, 429 and 503 are always possible."""
    return {status: {"description": _REFUSALS[status]} for status in sorted({400, 401, 403, *statuses, 429, 503})}


def item(status: int = 200, links: dict[str, Any] | None = None) -> Responses:
    """A successful answer with one item, which has an ETag."""
    return {status: {"headers": _ETAG} | ({"links": links} if links else {})}


def links(operations: Sequence[str], **parameters: str) -> dict[str, dict[str, Any]]:
    """Operations that take their `parameters` from an answer's body, by name and JSON pointer."""
    values = {name: f"$response.body#/{pointer}" for name, pointer in parameters.items()}
    return {operation: {"operationId": operation, "parameters": values} for operation in operations}


MODEL_LINKS = links(
    ["get_model", "update_model", "delete_model", "restore_model", "model_history", "create_version", "list_versions"],
    model="name",
)
VERSION_LINKS = links(
    ["get_version", "update_version", "delete_version", "restore_version", "complete_version", "version_files"],
    model="model",
    number="version",
)
ALIAS_LINKS = links(["get_alias", "delete_alias", "roll_back_alias"], model="model", alias="alias")
MADE_JOB: Responses = {
    201: {"links": links(["get_job", "complete_job", "job_results", "retry_job", "cancel_job"], job="id")}
}
KEY_LINKS = links(["get_key", "key_history", "rotate_key", "revoke_key"], id="id")
CREATED_KEY: Responses = {201: {"links": KEY_LINKS}}
