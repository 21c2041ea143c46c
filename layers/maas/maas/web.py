"""What both FastAPI applications share: errors in our shape whatever raised them, and who is calling."""

import re
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from maas import __version__, http
from maas.http import error_document

_VARIABLE = re.compile(r"\{\w+\}")


class Error(BaseModel):
    """Every answer of 4xx and 5xx."""

    error: str
    field: str | None = None


def create_app(title: str, description: str, prefix: str) -> FastAPI:
    app = FastAPI(
        title=title,
        description=description,
        version=__version__,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=f"{prefix}/docs",
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        responses={"4XX": {"model": Error}, "5XX": {"model": Error}},
    )
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    # Not a handler of Exception: Starlette answers and then raises that one again, out of the Lambda handler.
    app.middleware("http")(_every_error)
    return app


async def _every_error(request: Request, call_next: Any) -> Any:
    try:
        return await call_next(request)
    except Exception as error:
        status, document = error_document(error)
        return JSONResponse(document, status)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
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


def actor_of(request: Request) -> str:
    """Who is calling. See `maas.http.actor_of`."""
    return http.actor_of(request.scope.get("aws.event", {}))


Actor = Annotated[str, Depends(actor_of)]
