"""The base of both FastAPI applications: the caller, the scopes of each route, and one shape for all errors."""

import json
import re
from collections.abc import Callable, Mapping
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
from maas.names import PATTERN_RULES
from maas.web.events import error_document, error_headers, quotable

RouteError = Callable[[str, str], dict[str, Any]]  # of a path and a message
OPEN_PATHS = {"/", "/ping", "/v2/health/live", "/v2/health/ready"}  # without an authorizer in the template
_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token if Auth is jwt."},
}
_OF_VERSION, _OF_LABEL = "_of_version", "_of_label"
_VARIABLE = re.compile(r"\{\w+\}")


class Error(BaseModel):
    """The body of every 4xx and 5xx response."""

    error: str
    field: str | None = None


class _Application(FastAPI):
    """Its OpenAPI document lists the scopes of each operation, of which a caller needs one."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            document = super().openapi()
            document["components"]["securitySchemes"] = _SCHEMES
            for operation in (one for methods in document["paths"].values() for one in methods.values()):
                name = operation["operationId"].removesuffix(_OF_VERSION).removesuffix(_OF_LABEL)
                need: Need = self.state.needs[name]
                operation["security"] = [] if need.is_open else [{name: list(need.scopes)} for name in _SCHEMES]
        return self.openapi_schema or {}


def create_app(
    title: str,
    description: str,
    prefix: str,
    needs: Mapping[str, Need],
    *,
    open_documents: bool = False,
    route_error: RouteError = lambda _, message: {"error": message},
) -> FastAPI:
    """`needs`: what each route requires of the caller, by the route's name. A route without an entry refuses all.
    `route_error` makes the body of the answer for a path or a method that is not here.

    The OpenAPI document and its page need any caller, or none with `open_documents`.
    """
    app = _Application(
        title=title,
        description=description,
        version=__version__,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=f"{prefix}/docs",
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # a body without a content type is JSON
        generate_unique_id_function=_operation_id,
        responses={"4XX": {"model": Error}, "5XX": {"model": Error}},
        dependencies=[Depends(_allowed)],
    )
    app.state.needs, app.state.route_error = needs, route_error
    app.state.open_paths = OPEN_PATHS | ({app.openapi_url, app.docs_url} if open_documents else set())
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    # Not an exception handler for Exception: Starlette would answer, then raise it again out of the Lambda handler.
    app.middleware("http")(_every_error)
    return app


def _operation_id(route: APIRoute) -> str:
    """The route's name; for a route with several paths, with a suffix for the version or label in the path."""
    if "{version}" not in route.path and "{reference}" not in route.path:
        return route.name
    return route.name + (_OF_LABEL if "/labels/" in route.path else _OF_VERSION)


async def _every_error(request: Request, call_next: Any) -> Any:
    try:
        if request.scope["path"] not in request.app.state.open_paths:  # not request.url, which depends on Host
            request.state.caller = caller_of(request.scope["aws.event"]["requestContext"])
        return await call_next(request)
    except Exception as error:
        status, document = error_document(error)
        return JSONResponse(document, status, headers=error_headers(error))


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    await _allowed(request)  # a body that is not JSON fails before the route's dependencies run
    first = error.errors()[0]
    place, *path = (str(part) for part in first["loc"])
    if first["type"] == "json_invalid":  # the rest of `loc` is a position
        where = f"{first['ctx']['error']} at character {path[0]}"
        return JSONResponse({"error": f"body: not JSON ({where})", "field": "body"}, 400)
    if place != "body":  # after a parameter's name come the kinds of value that were tried, but for places in lists
        path = [part for part in path if part.isdigit() or "[" not in part]
    field = quotable(".".join(path) if path else place)
    return JSONResponse({"error": f"{field}: {quotable(_reason(first))}", "field": field}, 400)


def _reason(error: Mapping[str, Any]) -> str:
    """What came, if it is short, and what is expected."""
    said = str(error["msg"]).removeprefix("Value error, ")
    came = error["input"]
    if error["type"] == "string_pattern_mismatch":
        said = f"expected {PATTERN_RULES.get(error['ctx']['pattern'], error['ctx']['pattern'])}"
    if error["type"] == "missing" or said.startswith("got "):
        return said
    if isinstance(came, str | int | float):
        shown = repr(came) if isinstance(came, str) else json.dumps(came)
    elif error["type"].endswith("_type"):  # of value; other rules are about what is in it
        shown = "nothing" if came is None else "an object" if isinstance(came, dict) else "an array"
    else:
        return said
    return f"got {shown:.80}{',' if said.startswith('expected') else ':'} {said}"


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    message = f"there is no route {request.scope['path']:.200}" if error.status_code == 404 else error.detail
    if error.status_code == 405:
        if methods := _methods(request):  # Starlette lists only those of the first route
            headers["Allow"] = ", ".join(methods)
        message = f"{request.method} is not possible here, only {headers['Allow']}"
    document = request.app.state.route_error(request.scope["path"], message)
    return JSONResponse(document, error.status_code, headers=headers)


def _methods(request: Request) -> list[str]:
    """The methods that the OpenAPI document has for this path."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    fitting = (
        methods for path, methods in paths.items() if re.fullmatch(_VARIABLE.sub("[^/]+", path), request.scope["path"])
    )
    return sorted({method.upper() for methods in fitting for method in methods})


async def _allowed(request: Request) -> None:
    """Runs before every route, and before its body is validated. Raises NotAllowed."""
    name = request.scope["route"].name
    need: Need | None = request.app.state.needs.get(name)
    if need is None:
        raise NotAllowed(_caller(request).actor, [f"a scope, and none is defined for '{name}'"])
    if not need.is_open:
        model = request.path_params.get("model")
        _caller(request).check(need, model and model.partition("@")[0])  # OpenAI's clients name an alias so


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


async def who(request: Request) -> Caller:
    """The caller."""
    return _caller(request)


async def actor_of(request: Request) -> str:
    """The caller's name, for histories."""
    return _caller(request).actor


Actor = Annotated[str, Depends(actor_of)]
Who = Annotated[Caller, Depends(who)]
