"""One FastAPI application with every route of this function but `infer`."""

from functools import cache

from fastapi import FastAPI
from mangum import Mangum

import invocations
import oip_routes
import profile_routes
import repository_routes
import v1_routes
from maas.serving.dataplane import DataPlane
from maas.web.application import create_app
from plane_scopes import NEEDS


@cache
def handler(dataplane: DataPlane, memory_mb: int) -> Mangum:
    """The Lambda handler for these routes. `memory_mb` is the memory of this function."""
    return Mangum(application(dataplane, memory_mb), lifespan="off")


def application(dataplane: DataPlane, memory_mb: int) -> FastAPI:
    app = create_app(
        "MaaS inference", "Open Inference Protocol V2, KServe V1, TF Serving and SageMaker's invocations.", "/v2", NEEDS
    )
    app.state.dataplane, app.state.memory_mb = dataplane, memory_mb
    for module in (oip_routes, profile_routes, repository_routes, v1_routes, invocations):
        app.include_router(module.routes)
    return app
