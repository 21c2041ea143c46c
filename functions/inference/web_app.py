"""Every route of this function but the hot one, in one FastAPI application."""

from functools import cache

from fastapi import FastAPI
from mangum import Mangum

import oip_routes
import other_protocols
import repository_routes
from maas.serving.dataplane import DataPlane
from maas.web.application import create_app
from plane_scopes import NEEDS


@cache
def handler(dataplane: DataPlane) -> Mangum:
    """The Lambda handler of these routes."""
    return Mangum(application(dataplane), lifespan="off")


def application(dataplane: DataPlane) -> FastAPI:
    app = create_app("MaaS inference", "Open Inference Protocol V2, and what other clients speak.", "/v2", NEEDS)
    app.state.dataplane = dataplane
    for module in (oip_routes, repository_routes, other_protocols):
        app.include_router(module.routes)
    return app
