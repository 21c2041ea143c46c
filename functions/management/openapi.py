"""Additions to the OpenAPI document that FastAPI generates: error responses, ETags, links."""

from collections.abc import Sequence
from typing import Any

Responses = dict[int | str, dict[str, Any]]

_REFUSALS = {
    400: "The request is invalid; `field` names the part at fault.",
    401: "No valid API key, token or signature.",
    403: "The caller lacks the scope.",
    404: "There is no such model, version, alias, job or key.",
    409: "Not possible in the current state.",
    410: "Deleted; the message says how to restore it.",
    412: "`If-Match` is not the current ETag; `current` is the current item.",
    413: "Larger than a limit of the service.",
    429: "A quota is used up; `Retry-After` says when to try again.",
    503: "Concurrent changes of the same item, or DynamoDB or S3 do not answer: try again.",
}
_ETAG = {"ETag": {"description": "The value for `If-Match`.", "schema": {"type": "string"}, "example": '"3"'}}
PURGES: Responses = {
    202: {"description": "The purge is not finished: call again, or leave the rest to the schedule."},
    204: {"description": "Purged."},
}


def refusals(*statuses: int) -> Responses:
    """Error responses of an operation: these statuses, and 400, 401, 403, 429 and 503, which all have."""
    return {status: {"description": _REFUSALS[status]} for status in sorted({400, 401, 403, *statuses, 429, 503})}


def item(status: int = 200, links: dict[str, Any] | None = None) -> Responses:
    """A success response with one item, which has an ETag."""
    return {status: {"headers": _ETAG} | ({"links": links} if links else {})}


def links(operations: Sequence[str], **parameters: str) -> dict[str, dict[str, Any]]:
    """Links to operations that take `parameters` (name to JSON pointer) from a response's body."""
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
CREATED_ROLLOUT: Responses = {
    201: {
        "links": links(
            ["get_rollout", "pause_rollout", "resume_rollout", "abort_rollout", "breach_rollout"],
            model="model",
            rollout="id",
        )
    }
}
CREATED_KEY: Responses = {201: {"links": KEY_LINKS}}
