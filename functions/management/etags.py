"""Responses with an ETag, and the answer to an If-Match that does not match."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from maas.errors import PreconditionFailed
from maas.records import ModelVersion, RegisteredModel
from maas.web.events import error_document
from schemas.aliases import Alias
from schemas.models import Model
from schemas.versions import Version


def shown_model(response: Response, model: RegisteredModel) -> Model:
    response.headers["etag"] = model.etag
    return Model.of(model)


def shown_version(response: Response, version: ModelVersion, aliases: list[str]) -> Version:
    response.headers["etag"] = version.etag(aliases)
    return Version.of(version, aliases)


async def precondition_failed(_: Request, error: Exception) -> JSONResponse:
    """412 with the current state, so that the caller can decide again without another request."""
    assert isinstance(error, PreconditionFailed)
    status, document = error_document(error)
    state: Any = error.current
    shown: BaseModel
    if isinstance(state, RegisteredModel):
        shown = Model.of(state)
    elif isinstance(state[0], ModelVersion):
        shown = Version.of(*state)
    else:
        shown = Alias.of(*state)
    document["current"] = shown.model_dump(mode="json")
    return JSONResponse(document, status, headers={"etag": error.etag})
