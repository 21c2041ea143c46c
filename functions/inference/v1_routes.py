"""KServe V1 and TF Serving under /v1: rows or columns of values in JSON."""

from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from maas.errors import InvalidRequest, NotOffered
from maas.serving import compatibility
from maas.serving.dataplane import DataPlane, Prediction
from maas.serving.oip import MAX_JSON_BYTES, read_tensors
from maas.serving.traffic import Resolved
from maas.web import compression, events
from maas.web.application import Who
from plane import VERSIONED, Plane, sender_of

_V1 = ["/v1/models/{model}", "/v1/models/{model}/versions/{reference}", "/v1/models/{model}/labels/{reference}"]

routes = APIRouter()


async def predict(plane: Plane, who: Who, model: str, request: Request, reference: str | None = None) -> Response:
    """Answers `instances` (rows) with `predictions`, and `inputs` (columns) with `outputs`."""
    document = read_tensors(await body_of(request))
    resolved = plane.resolve(model, reference, sender_of(who, request))
    return json_answer(document, predicted(plane, resolved, document, deadline_of(request)))


def status(plane: Plane, model: str, reference: str | None = None) -> dict[str, Any]:
    """TF Serving's model status, with `name` and `ready` for KServe's client and OpenAI's fields of a model.

    The model may be `name@alias` or `name@3`.
    """
    name, _, named = model.partition("@")
    version = plane.resolve(name, reference or named or None).version
    healthy = {"error_code": "OK", "error_message": ""}
    states = [{"version": str(version.number), "state": "AVAILABLE", "status": healthy}]
    shown = {"name": model, "ready": True, "model_version_status": states}
    return shown | _openai_model(model, version.created_at)


def explain(model: str) -> None:
    raise NotOffered("explanation", f"push an explainer of '{model}' as a model of its own and call that")


for path in _V1:
    routes.add_api_route(f"{path}:predict", predict, methods=["POST"], responses=VERSIONED)
    routes.add_api_route(f"{path}:explain", explain, methods=["POST"], include_in_schema=False)
    routes.add_api_route(path, status, methods=["GET"])


@routes.get("/")
def alive() -> dict[str, str]:
    """The liveness check of KServe's V1 client."""
    return {"status": "alive"}


@routes.get("/v1/models")
def v1_models(plane: Plane, who: Who) -> dict[str, Any]:
    """The models, as OpenAI's clients read them (`data`) and KServe's (`models`)."""
    found = [model for model in plane.models() if who.sees(model.name)]
    data = [_openai_model(model.name, model.created_at) for model in found]
    return {"object": "list", "data": data, "models": [model.name for model in found]}


def _openai_model(name: str, created_at: str) -> dict[str, Any]:
    created = int(datetime.fromisoformat(created_at).timestamp()) if created_at else 0
    return {"id": name, "object": "model", "created": created, "owned_by": "maas"}


def predicted(plane: DataPlane, resolved: Resolved, document: Any, deadline: float) -> Prediction:
    """Raises InvalidRequest for a document without rows or columns, and as `DataPlane.predict` does."""
    if not isinstance(document, dict):
        raise InvalidRequest("body: got no object, expected one with instances or inputs", field="body")
    parameters = document.get("parameters")
    if not isinstance(parameters, dict | None):
        raise InvalidRequest("parameters: got no object, expected one with options of the task", field="parameters")
    return plane.predict(
        resolved,
        lambda runner: compatibility.decode(document, runner),
        deadline,
        events.PAYLOAD_LIMIT_BYTES,
        parameters,
    )


def json_answer(document: dict[str, Any], found: Prediction) -> Response:
    """`predictions` for a document with rows, `outputs` for one with inputs."""
    if document.get("inputs") is None:
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
