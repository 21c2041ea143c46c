"""The Open Inference Protocol's routes beside the hot one: server and model metadata, health."""

from functools import cache
from typing import Any

from fastapi import Request, Response
from mangum import Mangum

from maas import __version__, http, oip
from maas.dataplane import DataPlane
from maas.errors import MaasError
from maas.web import create_app

MODEL, VERSION = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"


@cache
def handler(dataplane: DataPlane) -> Mangum:
    """The Lambda handler of these routes."""
    app = create_app("MaaS inference", "Open Inference Protocol V2.", "/v2")

    @app.get("/v2")
    def server_metadata() -> dict[str, Any]:
        return oip.server_metadata(__version__)

    @app.get("/v2/health/live")
    def live() -> dict[str, bool]:
        return {"live": True}

    @app.get("/v2/health/ready")
    def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.get(MODEL)
    @app.get(VERSION)
    def model_metadata(model: str, version: str | None = None) -> dict[str, Any]:
        return dataplane.metadata(model, version)

    @app.get(f"{MODEL}/ready")
    @app.get(f"{VERSION}/ready")
    def model_ready(model: str, response: Response, version: str | None = None) -> dict[str, Any]:
        try:
            dataplane.resolve(model, version)
        except MaasError as error:
            response.status_code, document = http.error_document(error)
            return {"name": model, "ready": False} | document
        return {"name": model, "ready": True}

    @app.post(f"{MODEL}/infer", summary="Infer")
    @app.post(f"{VERSION}/infer", summary="Infer")
    async def infer(model: str, request: Request, version: str | None = None) -> Response:
        """In the API document and for tests without an event; Lambda's own requests take the short way in app.py."""
        return Response(dataplane.infer(model, version, await request.body()), media_type="application/json")

    return Mangum(app, lifespan="off")
