"""The data plane as a parameter of the routes; `app.py` builds it."""

from typing import Annotated

from fastapi import Depends, Request

from maas.serving.dataplane import DataPlane


def _of_application(request: Request) -> DataPlane:
    found: DataPlane = request.app.state.dataplane
    return found


Plane = Annotated[DataPlane, Depends(_of_application)]
