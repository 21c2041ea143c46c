"""The Open Inference Protocol's other routes: health, metadata, configuration, statistics."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from maas import __version__
from maas.errors import InvalidRequest, MaasError
from maas.records import MetadataTensor, ModelVersion
from maas.serving.oip import HEADER_LENGTH
from maas.serving.statistics import fleet_document
from maas.web import events
from maas.web.application import Who
from plane import VERSIONED, Fleet, Plane

PLATFORM = "onnx_onnxv1"
EXTENSIONS = ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"]
MODEL, VERSION = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
# https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto
_CONFIG_TYPES = {"BYTES": "STRING"}


routes = APIRouter()


@routes.get("/v2")
def server_metadata() -> dict[str, Any]:
    return {"name": "maas", "version": __version__, "extensions": EXTENSIONS}


@routes.get("/v2/health/live")
def live() -> dict[str, bool]:
    return {"live": True}


@routes.get("/v2/health/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}


Scope = Annotated[
    Literal["environment", "fleet"], Query(description="`environment`: this one since its start; `fleet`: all of them.")
]


@routes.get("/v2/models/stats")
def statistics(plane: Plane, who: Who, scope: Scope = "environment") -> dict[str, Any]:
    if scope == "fleet":
        raise InvalidRequest("scope: got fleet for all models, expected it for one: /v2/models/M/stats", field="scope")
    document = plane.statistics.document()
    return {"model_stats": [one for one in document["model_stats"] if who.sees(one["name"])]}


@routes.get(MODEL)
@routes.get(VERSION)
def model_metadata(plane: Plane, model: str, version: str | None = None) -> dict[str, Any]:
    found = plane.resolve(model, version).version
    return {
        "name": found.model,
        "versions": [str(found.number)],
        "platform": PLATFORM,
        "inputs": [_tensor(tensor) | _optional(tensor) for tensor in found.inputs or ()],
        "outputs": [_tensor(tensor) for tensor in found.outputs or ()],
    }


@routes.get(f"{MODEL}/ready")
@routes.get(f"{VERSION}/ready")
def model_ready(plane: Plane, model: str, response: Response, version: str | None = None) -> dict[str, Any]:
    try:
        plane.resolve(model, version)
    except MaasError as error:
        response.status_code, document = events.error_document(error)
        return {"name": model, "ready": False} | document
    return {"name": model, "ready": True}


@routes.get(f"{MODEL}/config")
@routes.get(f"{VERSION}/config")
def model_config(plane: Plane, model: str, version: str | None = None) -> dict[str, Any]:
    return _config(plane.resolve(model, version).version)


@routes.get(f"{MODEL}/stats")
@routes.get(f"{VERSION}/stats")
def model_statistics(
    plane: Plane, fleet: Fleet, model: str, version: str | None = None, scope: Scope = "environment"
) -> dict[str, Any]:
    number = plane.resolve(model, version).version.number
    if scope == "fleet":
        return {"model_stats": [fleet_document(model, number, *fleet.ever(model, number))]}
    return plane.statistics.document(model, number)


@routes.post(f"{MODEL}/infer", summary="Infer", responses=VERSIONED)
@routes.post(f"{VERSION}/infer", summary="Infer", responses=VERSIONED)
async def infer(plane: Plane, model: str, request: Request, version: str | None = None) -> Response:
    """For the OpenAPI document: on Lambda, app.py serves this route."""
    reply = plane.infer(model, version, await request.body(), request.headers.get(HEADER_LENGTH))
    return Response(reply.body, media_type="application/json")


def _tensor(tensor: MetadataTensor) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}


def _optional(tensor: MetadataTensor) -> dict[str, Any]:
    return {"parameters": {"optional": True}} if tensor.optional else {}


def _config(version: ModelVersion) -> dict[str, Any]:
    """Triton's model configuration. max_batch_size 0: `dims` include the batch dimension."""
    return {
        "name": version.model,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "version_policy": {"specific": {"versions": [version.number]}},
        "max_batch_size": 0,
        "input": [_config_tensor(tensor) | {"optional": tensor.optional} for tensor in version.inputs or ()],
        "output": [_config_tensor(tensor) for tensor in version.outputs or ()],
    }


def _config_tensor(tensor: MetadataTensor) -> dict[str, Any]:
    kind = _CONFIG_TYPES.get(tensor.datatype, tensor.datatype)
    return {"name": tensor.name, "data_type": f"TYPE_{kind}", "dims": list(tensor.shape)}
