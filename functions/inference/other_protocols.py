"""Routes of other protocols: KServe V1 / TF Serving under /v1, SageMaker's container contract at the root."""

from itertools import islice
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request, Response

from maas.access.caller import Caller
from maas.errors import InvalidRequest, NotOffered
from maas.serving import compatibility
from maas.serving.dataplane import DataPlane
from maas.serving.oip import MAX_JSON_BYTES, read_json
from maas.web import compression, events
from maas.web.application import Who
from plane import Plane

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_TARGET = "x-amzn-sagemaker-target-model"
_V1 = ["/v1/models/{model}", "/v1/models/{model}/versions/{reference}", "/v1/models/{model}/labels/{reference}"]


routes = APIRouter()


async def predict(plane: Plane, model: str, request: Request, reference: str | None = None) -> Response:
    """Answers `instances` (rows) with `predictions`, and `inputs` (columns) with `outputs`."""
    return _answer(_predicted(plane, model, reference, read_json(await _body(request)), _deadline(request)))


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


@routes.get("/ping")
def ping() -> dict[str, str]:
    return {"status": "Healthy"}


@routes.post("/invocations")
async def invocations(
    plane: Plane,
    who: Who,
    request: Request,
    model: Annotated[str | None, Query()] = None,
    version: Annotated[str | None, Query()] = None,
    target: Annotated[str | None, Header(alias=_TARGET)] = None,
) -> Response:
    """Takes JSON as `:predict` does, or CSV without a header. The model may be left out if there is only one."""
    name = model or target or _only_model(plane, who)
    who.check_infer(name)
    body, deadline = await _body(request), _deadline(request)
    if _is(request, "content-type", "text/csv"):
        return _csv(plane, name, version, body, deadline, request)
    document = read_json(body)
    if isinstance(document, list):
        document = {"instances": document}
    return _answer(_predicted(plane, name, version, document, deadline))


def _predicted(plane: DataPlane, model: str, reference: str | None, document: Any, deadline: float) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InvalidRequest("body: got no object, expected one with instances or inputs", field="body")
    found = plane.predict(model, reference, lambda runner: compatibility.decode(document, runner), deadline)
    if "instances" in document:
        return {"predictions": compatibility.predictions(found.outputs, found.runner, len(document["instances"]))}
    return {"outputs": compatibility.columnar(found.outputs, found.runner)}


def _csv(
    plane: DataPlane, model: str, reference: str | None, body: bytes, deadline: float, request: Request
) -> Response:
    found = plane.predict(model, reference, lambda runner: compatibility.decode_csv(body, runner), deadline)
    rows = len(next(iter(found.inputs.values())))
    if _is(request, "accept", "application/json"):
        return _answer({"predictions": compatibility.predictions(found.outputs, found.runner, rows)})
    return Response(compatibility.encode_csv(found.outputs, found.runner, rows), media_type="text/csv")


def _only_model(plane: DataPlane, who: Caller) -> str:
    """The only model that the caller may use. Raises InvalidRequest."""
    found = list(islice((model for model in plane.models() if who.may_infer(model.name)), 2))
    if len(found) != 1:
        expected = f"?model=NAME or the header {_TARGET}, unless there is exactly one model"
        raise InvalidRequest(f"model: got none, expected {expected}", field="model")
    return found[0].name


async def _body(request: Request) -> bytes:
    """The decoded body, with the size limit of JSON: these protocols are text."""
    return compression.decoded(await request.body(), request.headers.get("content-encoding"), MAX_JSON_BYTES)


def _answer(document: dict[str, Any]) -> Response:
    encoded = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY, default=lambda array: array.tolist())
    return Response(encoded, media_type="application/json")


def _is(request: Request, header: str, kind: str) -> bool:
    return request.headers.get(header, "").lower().partition(";")[0].strip() == kind


def _deadline(request: Request) -> float:
    return events.deadline_of(request.scope["aws.context"])
