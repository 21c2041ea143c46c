"""The data plane as a parameter of the routes; `app.py` builds it. And the sender of a request to them."""

from typing import Annotated

from fastapi import Depends, Request

from maas.access.caller import Caller
from maas.serving.dataplane import DataPlane
from maas.serving.traffic import Sender


def _of_application(request: Request) -> DataPlane:
    found: DataPlane = request.app.state.dataplane
    return found


def sender_of(who: Caller, request: Request) -> Sender:
    return Sender(who.actor, request.headers)


Plane = Annotated[DataPlane, Depends(_of_application)]
