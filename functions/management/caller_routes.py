"""/api/v1/caller: who asks, and what it may do."""

from fastapi import APIRouter

from maas.web.application import Who
from openapi import refusals
from schemas.keys import Caller

router = APIRouter(prefix="/caller", tags=["keys"])


@router.get("", responses=refusals())
def get_caller(who: Who) -> Caller:
    """The caller of this request: its name in histories, and its scopes."""
    return Caller.of(who)
