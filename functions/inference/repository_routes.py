"""Triton's repository extension, the list of models, and the parts of Triton that are not offered."""

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from maas.errors import InvalidRequest, NotOffered
from maas.records import Status
from maas.serving.oip import read_json
from maas.web import events
from maas.web.application import Who
from plane import Plane

MAX_LISTED = 1000
_STATES = {Status.READY: "READY", Status.FAILED: "UNAVAILABLE"}
_NOT_OFFERED = {
    "shared memory": (
        "a client on the network shares no memory with a function",
        ["/v2/systemsharedmemory", "/v2/cudasharedmemory"],
    ),
    "trace settings": ("tracing is set in the template", ["/v2/trace", "/v2/models/{model}/trace"]),
    "log settings": ("logging is set in the template", ["/v2/logging"]),
}


async def _options(request: Request) -> dict[str, Any]:
    """The JSON body, {} if empty. FastAPI would ignore it: tritonclient sends no content type."""
    body = await request.body()
    options = read_json(body) if body.strip() else {}
    if type(options) is not dict or type(options.get("parameters", {})) is not dict:
        raise InvalidRequest("body: got another value, expected an object whose parameters are an object", field="body")
    return options


Options = Annotated[dict[str, Any], Depends(_options)]


routes = APIRouter()


@routes.get("/v2/models")
def models(plane: Plane, who: Who) -> dict[str, list[str]]:
    return {"models": [model.name for model in plane.models() if who.sees(model.name)]}


@routes.post("/v2/repository/index")
def repository_index(plane: Plane, who: Who, options: Options) -> list[dict[str, str]]:
    """A bare array, as tritonclient expects, of at most 1,000 versions."""
    only_ready = options.get("ready") is True
    states = ((version, _STATES.get(version.status, "LOADING")) for version in plane.versions(who.sees))
    entries = (
        {
            "name": version.model,
            "version": str(version.number),
            "state": state,
            "reason": version.status_reason or "",
        }
        for version, state in states
        if state == "READY" or not only_ready
    )
    return list(islice(entries, MAX_LISTED))


@routes.post("/v2/repository/models/{model}/load")
def load(plane: Plane, model: str, request: Request, options: Options) -> dict[str, Any]:
    """Loads the model into this execution environment; the next request may reach another one."""
    if any(name == "config" or name.startswith("file:") for name in options.get("parameters", {})):
        raise InvalidRequest(
            "parameters: got a config or files, expected neither: push a new version with `maas push`",
            field="parameters",
        )
    version = plane.load(model, None, events.deadline_of(request.scope["aws.context"]))
    return {"name": model, "version": str(version.number), "state": "READY"}


@routes.post("/v2/repository/models/{model}/unload")
def unload(plane: Plane, model: str) -> dict[str, str]:
    """Drops the model from this environment's memory; it stays READY, and the next request loads it again."""
    plane.unload(model)
    return {"name": model}


def _refusal(what: str, why: str) -> Any:
    def refuse() -> None:
        raise NotOffered(what, why)

    return refuse


for what, (why, paths) in _NOT_OFFERED.items():
    for path in paths:
        for suffix in ("", "/{rest:path}"):
            routes.add_api_route(path + suffix, _refusal(what, why), methods=["GET", "POST"], include_in_schema=False)
