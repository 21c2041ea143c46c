"""What both FastAPI applications share: errors in our shape whatever raised them, and who is calling."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from maas import __version__
from maas.access.caller import Caller, Need, caller_of
from maas.errors import NotAllowed
from maas.web.events import error_document, error_headers

OPEN_PATHS = {"/", "/ping", "/v2/health/live", "/v2/health/ready"}  # the template has no authorizer on them
_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token where Auth is jwt."},
}
_OF_VERSION, _OF_LABEL = "_of_version", "_of_label"
_VARIABLE = re.compile(r"\{\w+\}")


class Error(BaseModel):
    """Every answer of 4xx and 5xx."""

    error: str
    field: str | None = None


class _Application(FastAPI):
    """Its document says of each operation which scopes it takes, any one of them."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            document = super().openapi()
            document["components"]["securitySchemes"] = _SCHEMES
            for operation in (one for methods in document["paths"].values() for one in methods.values()):
                name = operation["operationId"].removesuffix(_OF_VERSION).removesuffix(_OF_LABEL)
                need: Need = self.state.needs[name]
                asked = [] if need.is_open else [{name: list(need.scopes)} for name in _SCHEMES]
                operation["security"] = asked
        return self.openapi_schema or {}


def create_app(title: str, description: str, prefix: str, needs: Mapping[str, Need]) -> FastAPI:
    """`needs` says of each route, by its name, what it asks of the caller; a route that is not there lets nobody in."""
    app = _Application(
        title=title,
        description=description,
        version=__version__,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=f"{prefix}/docs",
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses={"4XX": {"model": Error}, "5XX": {"model": Error}},
        dependencies=[Depends(_allowed)],
    )
    app.state.needs = needs
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    # Not a handler of Exception: Starlette answers and then raises that one again, out of the Lambda handler.
    app.middleware("http")(_every_error)
    return app


def _operation_id(route: APIRoute) -> str:
    """The route's name; of one that has several paths, with what the longer ones name besides the model."""
    if "{version}" not in route.path and "{reference}" not in route.path:
        return route.name
    return route.name + (_OF_LABEL if "/labels/" in route.path else _OF_VERSION)


async def _every_error(request: Request, call_next: Any) -> Any:
    try:
        if request.url.path not in OPEN_PATHS:
            request.state.caller = caller_of(request.scope.get("aws.event", {}))
        return await call_next(request)
    except Exception as error:
        status, document = error_document(error)
        return JSONResponse(document, status, headers=error_headers(error))


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    await _allowed(request)  # what is no JSON at all comes here before that was asked
    first = error.errors()[0]
    place, *path = (str(part) for part in first["loc"])
    field = ".".join(path) if path else place
    return JSONResponse({"error": f"{field}: {first['msg']}", "field": field}, 400)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # Starlette names the methods of the first route alone
        headers["Allow"] = ", ".join(_methods(request))
    said = {404: f"there is no route {request.url.path}", 405: f"{request.method} is not possible here"}
    document = {"error": said.get(error.status_code, error.detail)}
    return JSONResponse(document, error.status_code, headers=headers)


def _methods(request: Request) -> list[str]:
    """That the document has for this path."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    fitting = (
        methods for path, methods in paths.items() if re.fullmatch(_VARIABLE.sub("[^/]+", path), request.url.path)
    )
    return sorted({method.upper() for methods in fitting for method in methods})


async def _allowed(request: Request) -> None:
    """Before every route, and before anything is said of its body. Raises NotAllowed."""
    name = request.scope["route"].name
    need: Need | None = request.app.state.needs.get(name)
    if need is None:
        raise NotAllowed(_caller(request).actor, [f"a scope that '{name}' has not been given"])
    if not need.is_open:
        _caller(request).check(need, request.path_params.get("model"))


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


async def who(request: Request) -> Caller:
    """Who is calling."""
    return _caller(request)


async def actor_of(request: Request) -> str:
    """The same in a word, for the history."""
    return _caller(request).actor


Actor = Annotated[str, Depends(actor_of)]
Who = Annotated[Caller, Depends(who)]
