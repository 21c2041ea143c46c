"""/api/v1/models/{model}/versions/{number}/captures: the files of captured requests."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from maas import bootstrap
from maas.metrics.series import EARLIEST
from objects import page_tokens, registry, settings
from openapi import refusals
from parameters import Absent, Limit, ListScope, ModelName, Number, Token
from schemas.captures import CaptureFile, Captures
from schemas.shared import Time

DEFAULT_SPAN = timedelta(hours=24)
router = APIRouter(prefix="/models/{model}/versions/{number}/captures", tags=["captures"])
captures = bootstrap.captures(settings)


@router.get("", responses=refusals(404, 410))
def list_captures(
    model: ModelName,
    number: Number,
    scope: ListScope,
    limit: Limit = 250,
    token: Token = None,
    start: Annotated[Time | Absent, Query(alias="from", description="By default a day before `to`.")] = None,
    end: Annotated[Time | Absent, Query(alias="to", description="By default now.")] = None,
) -> Captures:
    """The files of every hour that has a part in this time, oldest first, each with a download URL."""
    registry.versions.get(model, number)
    until = end or datetime.now(UTC)
    since = start or until - min(DEFAULT_SPAN, until - EARLIEST)
    found, last = captures.files(model, number, since, until, limit, page_tokens.position(scope, token))
    return Captures(captures=[CaptureFile.of(one) for one in found], next_page_token=page_tokens.issue(scope, last))
