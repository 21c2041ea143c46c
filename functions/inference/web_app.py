"""One FastAPI application with every route of this function but `infer`."""

from functools import cache

from fastapi import FastAPI
from mangum import Mangum

import invocations
import oip_routes
import profile_routes
import repository_routes
import task_routes
import v1_routes
from maas import bootstrap
from maas.serving.dataplane import DataPlane
from maas.settings import Settings
from maas.web.application import create_app
from plane_scopes import NEEDS
from task_calls import route_error


@cache
def handler(dataplane: DataPlane, settings: Settings) -> Mangum:
    """The Lambda handler for these routes."""
    return Mangum(application(dataplane, settings), lifespan="off")


def application(dataplane: DataPlane, settings: Settings) -> FastAPI:
    description = (
        "Open Inference Protocol V2, KServe V1, TF Serving, SageMaker's invocations, OpenAI's embeddings, Cohere's "
        "rerank and text-embeddings-inference."
    )
    app = create_app(
        "MaaS inference", description, "/v2", NEEDS, open_documents=settings.opens_documents, route_error=route_error
    )
    app.state.dataplane, app.state.memory_mb = dataplane, settings.memory_mb
    app.state.metrics = bootstrap.metrics(settings)
    for module in (oip_routes, profile_routes, repository_routes, task_routes, v1_routes, invocations):
        app.include_router(module.routes)
    return app
