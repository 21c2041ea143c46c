"""KServe V1 and TF Serving under /v1: rows or columns of values in JSON."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from maas.errors import InvalidRequest, NotOffered
from maas.serving import compatibility
from maas.serving.dataplane import DataPlane, Prediction
from maas.serving.oip import MAX_JSON_BYTES, read_json
from maas.web import compression, events
from maas.web.application import Who
from plane import Plane

_V1 = ["/v1/models/{model}", "/v1/models/{model}/versions/{reference}", "/v1/models/{model}/labels/{reference}"]

routes = APIRouter()


async def predict(plane: Plane, model: str, request: Request, reference: str | None = None) -> Response:
    """Answers `instances` (rows) with `predictions`, and `inputs` (columns) with `outputs`."""
    document = read_json(await body_of(request))
    return json_answer(document, predicted(plane, model, reference, document, deadline_of(request)))


def status(plane: Plane, model: str, reference: str | None = None) -> dict[str, Any]:
    """TF Serving's model status, with the fields `name` and `ready` that KServe's client reads."""
    version = plane.resolve(model, reference)
    healthy = {"error_code": "OK", "error_message": ""}
    states = [{"version": str(version.number), "state": "AVAILABLE", "status": healthy}]
    return {"name": model, "ready": True, "model_version_status": states}


def explain(model: str) -> None:
    raise NotOffered("explanation", f"push an explainer of '{model}' as a model of its own and call that")


for path in _V1:
    routes.add_api_route(f"{path}:predict", predict, methods=["POST"])
    routes.add_api_route(f"{path}:explain", explain, methods=["POST"], include_in_schema=False)
    routes.add_api_route(path, status, methods=["GET"])


@routes.get("/")
def alive() -> dict[str, str]:
    """The liveness check of KServe's V1 client."""
    return {"status": "alive"}


@routes.get("/v1/models")
def v1_models(plane: Plane, who: Who) -> dict[str, list[str]]:
    return {"models": [model.name for model in plane.models() if who.sees(model.name)]}


def predicted(plane: DataPlane, model: str, reference: str | None, document: Any, deadline: float) -> Prediction:
    """Raises InvalidRequest for a document without rows or columns, and as `DataPlane.predict` does."""
    if not isinstance(document, dict):
        raise InvalidRequest("body: got no object, expected one with instances or inputs", field="body")
    return plane.predict(
        model, reference, lambda runner: compatibility.decode(document, runner), deadline, events.PAYLOAD_LIMIT_BYTES
    )


def json_answer(document: dict[str, Any], found: Prediction) -> Response:
    """`predictions` for a document with instances, `outputs` for one with inputs."""
    if "instances" in document:
        rows = compatibility.row_count(found.inputs)
        answer = {"predictions": compatibility.predictions(found.outputs, found.runner, rows)}
    else:
        answer = {"outputs": compatibility.columnar(found.outputs, found.runner)}
    encoded = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY, default=lambda array: array.tolist())
    return Response(encoded, media_type="application/json")


async def body_of(request: Request) -> bytes:
    """The decoded body, with the size limit of JSON: these protocols are text."""
    return compression.decoded(await request.body(), request.headers.get("content-encoding"), MAX_JSON_BYTES)


def deadline_of(request: Request) -> float:
    return events.deadline_of(request.scope["aws.context"])
