"""The data plane as a parameter of the routes; `app.py` builds it. And the sender of a request to them."""

from typing import Annotated, Any

from fastapi import Depends, Request

from maas.access.caller import Caller
from maas.metrics.metrics import Metrics
from maas.serving.dataplane import DataPlane
from maas.serving.traffic import Sender
from maas.web.requests import VERSION_HEADER


def _of_application(request: Request) -> DataPlane:
    found: DataPlane = request.app.state.dataplane
    return found


def sender_of(who: Caller, request: Request) -> Sender:
    return Sender(who.actor, request.headers)


# For the OpenAPI document: `maas.web.requests` adds it.
VERSIONED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {VERSION_HEADER: {"description": "The version that answered.", "schema": {"type": "string"}}}}
}
Plane = Annotated[DataPlane, Depends(_of_application)]


def _metrics_of_application(request: Request) -> Metrics:
    found: Metrics = request.app.state.metrics
    return found


Fleet = Annotated[Metrics, Depends(_metrics_of_application)]
