"""One FastAPI application with every route of this function but `infer`."""

from functools import cache

from fastapi import FastAPI
from mangum import Mangum

import invocations
import oip_routes
import repository_routes
import v1_routes
from maas.serving.dataplane import DataPlane
from maas.web.application import create_app
from plane_scopes import NEEDS


@cache
def handler(dataplane: DataPlane) -> Mangum:
    """The Lambda handler for these routes."""
    return Mangum(application(dataplane), lifespan="off")


def application(dataplane: DataPlane) -> FastAPI:
    app = create_app(
        "MaaS inference", "Open Inference Protocol V2, KServe V1, TF Serving and SageMaker's invocations.", "/v2", NEEDS
    )
    app.state.dataplane = dataplane
    for module in (oip_routes, repository_routes, v1_routes, invocations):
        app.include_router(module.routes)
    return app
