"""Every scope against every route of both APIs. Routes come from the OpenAPI documents; one missing here fails."""

import json
import re
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter

from conftest import LoadFunction
from support import wire
from support.aws.engine import Cloud
from support.events import seed

SCOPES = [
    "",
    "models:read",
    "models:write",
    "infer",
    "infer:example",
    "infer:other",
    "jobs",
    "keys",
    "rollouts:breach",
    "captures:read",
    "admin",
]
READ, WRITE, KEYS = {"models:read", "models:write", "admin"}, {"models:write", "admin"}, {"keys", "admin"}
USE = {"infer", "infer:example", "admin"}
ABOUT, LIST = USE | READ, USE | READ | {"infer:other"}
JOBS = {"jobs", "admin"}
ASYNC = USE | JOBS | {"infer:other"}  # for the caller's own jobs; the table has none
ANYBODY = set(SCOPES)
NAMES = {
    "model": "example",
    "number": "1",
    "alias": "live",
    "version": "1",
    "reference": "1",
    "id": "0" * 16,
    "job": "0" * 20,
    "rollout": "1",
}
ALLOWED = {
    "POST /api/v1/models": WRITE,
    "GET /api/v1/models": READ,
    "GET /api/v1/models/{model}": READ,
    "PATCH /api/v1/models/{model}": WRITE,
    "DELETE /api/v1/models/{model}": WRITE,
    "POST /api/v1/models/{model}/restore": WRITE,
    "GET /api/v1/models/{model}/history": READ,
    "GET /api/v1/models/{model}/metrics": READ,
    "POST /api/v1/models/{model}/versions": WRITE,
    "GET /api/v1/models/{model}/versions": READ,
    "GET /api/v1/models/{model}/versions/{number}": READ,
    "POST /api/v1/models/{model}/versions/{number}/complete": WRITE,
    "GET /api/v1/models/{model}/versions/{number}/files": READ,
    "PATCH /api/v1/models/{model}/versions/{number}": WRITE,
    "DELETE /api/v1/models/{model}/versions/{number}": WRITE,
    "POST /api/v1/models/{model}/versions/{number}/restore": WRITE,
    "GET /api/v1/models/{model}/aliases": READ,
    "PUT /api/v1/models/{model}/aliases/{alias}": WRITE,
    "GET /api/v1/models/{model}/aliases/{alias}": READ,
    "DELETE /api/v1/models/{model}/aliases/{alias}": WRITE,
    "POST /api/v1/models/{model}/aliases/{alias}/rollback": WRITE,
    "POST /api/v1/models/{model}/rollouts": WRITE,
    "GET /api/v1/models/{model}/rollouts": READ,
    "GET /api/v1/models/{model}/rollouts/{rollout}": READ,
    "POST /api/v1/models/{model}/rollouts/{rollout}/pause": WRITE,
    "POST /api/v1/models/{model}/rollouts/{rollout}/resume": WRITE,
    "POST /api/v1/models/{model}/rollouts/{rollout}/abort": WRITE,
    "POST /api/v1/models/{model}/rollouts/{rollout}/breach": WRITE | {"rollouts:breach"},
    "GET /api/v1/models/{model}/versions/{number}/captures": {"captures:read", "admin"},
    "GET /api/v1/caller": ANYBODY,
    "POST /api/v1/jobs": ASYNC,
    "GET /api/v1/jobs": JOBS,
    "GET /api/v1/jobs/{job}": ASYNC,
    "DELETE /api/v1/jobs/{job}": ASYNC,
    "GET /api/v1/jobs/{job}/results": ASYNC,
    "POST /api/v1/jobs/{job}/complete": ASYNC,
    "POST /api/v1/jobs/{job}/retry": JOBS,
    "POST /api/v1/keys": KEYS,
    "GET /api/v1/keys": KEYS,
    "GET /api/v1/keys/{id}": KEYS,
    "DELETE /api/v1/keys/{id}": KEYS,
    "GET /api/v1/keys/{id}/history": KEYS,
    "POST /api/v1/keys/{id}/rotate": KEYS,
    "GET /v2": ANYBODY,
    "GET /v2/models": LIST,
    "GET /v2/models/stats": LIST,
    "POST /v2/repository/index": LIST,
    "GET /v1/models": LIST,
    **{
        f"GET /v2/models/{{model}}{version}{what}": ABOUT
        for version in ("", "/versions/{version}")
        for what in ("", "/ready", "/config", "/stats")
    },
    "POST /v2/models/{model}/infer": USE,
    "POST /v2/models/{model}/versions/{version}/infer": USE,
    "POST /v2/models/{model}/profile": USE,
    "POST /v2/models/{model}/versions/{version}/profile": USE,
    "POST /v2/repository/models/{model}/load": USE,
    "POST /v2/repository/models/{model}/unload": USE,
    **{
        f"{method} /v1/models/{{model}}{version}{what}": scopes
        for version in ("", "/versions/{reference}", "/labels/{reference}")
        for method, what, scopes in (("GET", "", ABOUT), ("POST", ":predict", USE))
    },
    "POST /invocations": USE,
    **{f"POST /{path}": USE | {"infer:other"} for path in ("v1/embeddings", "v1/rerank", "v2/rerank")},  # body: {}
    **{f"POST /models/{{model}}/{what}": USE for what in ("embed", "rerank", "predict", "tokenize")},
}
OPEN = {"GET /", "GET /ping", "GET /v2/health/live", "GET /v2/health/ready"}


def answer(app: ModuleType, route: str, authorizer: dict[str, Any] | None, body: bytes = b"{}") -> tuple[int, Any]:
    method, _, path = route.partition(" ")
    path = re.sub(r"\{(\w+)\}", lambda found: NAMES[found[1]], path)
    event = wire.event(path, body, {"content-type": "application/json"}, method)
    if path == "/invocations":
        event["headers"]["x-amzn-sagemaker-target-model"] = NAMES["model"]
    event["requestContext"]["authorizer"] = authorizer
    result = app.lambda_handler(event, wire.CONTEXT)
    return result["statusCode"], json.loads(result["body"]) if result.get("body") else None


def of(scopes: str) -> dict[str, Any]:
    return {"lambda": {"actor": "key:0123456789abcdef", "name": "tests", "scopes": scopes}}


@pytest.fixture(params=["ManagementFunction", "InferenceFunction"])
def app(request: pytest.FixtureRequest, cloud: Cloud, load_function: LoadFunction) -> ModuleType:
    seed(cloud)
    return load_function(request.param)


def documented(app: ModuleType) -> list[str]:
    """`METHOD /path` of each operation; deletions come last."""
    if not hasattr(app, "app"):
        import web_app

        application = web_app.application(app.dataplane, app.settings)
    else:
        application = app.app
    paths = application.openapi()["paths"]
    found = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    return sorted(found, key=lambda route: (route.startswith("DELETE"), route))


def test_scopes_of_every_route(app: ModuleType) -> None:
    wrong = []
    routes = documented(app)
    assert len(routes) >= 20
    for route in routes:
        assert route in ALLOWED or route in OPEN, f"{route} has no line in this table: which scopes may use it?"
        for scope in SCOPES:
            status, body = answer(app, route, of(scope))
            allowed = route in OPEN or scope in ALLOWED[route]
            if (status not in (401, 403)) != allowed or (not allowed and "error" not in body):
                wrong.append((route, scope, status, body))
    assert wrong == []


@pytest.mark.full
def test_routes_without_a_caller_answer_401(app: ModuleType) -> None:
    refusals: list[dict[str, Any] | None] = [
        None,
        {},
        {"lambda": {}},
        {"lambda": {"refusal": "this API key is not known", "actor": "key:1", "scopes": "admin"}},
    ]
    extra = ["GET /api/v1/openapi.json", "GET /api/v1/docs", "GET /v2/openapi.json", "GET /v2/docs", "GET /nowhere"]
    for route in [*documented(app), *extra, "POST /v2/trace", "GET /v2/systemsharedmemory/status"]:
        for refusal in refusals:
            status, body = answer(app, route, refusal)
            assert (status == 401) == (route not in OPEN), (route, refusal, body)
            assert status != 401 or "error" in body


@pytest.mark.full
def test_documents_are_open_on_request(
    cloud: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_API_DOCUMENTS", "open")
    for function, prefix in (("ManagementFunction", "/api/v1"), ("InferenceFunction", "/v2")):
        app = load_function(function)
        for path in (f"{prefix}/openapi.json", f"{prefix}/docs", f"{prefix}/docs/"):
            event = wire.event(path, b"", {"host": "x:80/ping?"}, "GET")
            event["requestContext"]["authorizer"] = None
            assert app.lambda_handler(event, wire.CONTEXT)["statusCode"] == 200, path
        assert answer(app, f"GET {prefix}", None)[0] == 401
        assert answer(app, f"GET {prefix}/models", None)[0] == 401


@pytest.mark.full
def test_scope_is_checked_before_the_body(app: ModuleType) -> None:
    for route in documented(app):
        if not route.startswith("GET") and route not in OPEN:
            other = "keys" if "/jobs" in route else "jobs"
            assert answer(app, route, of(other), b"{not json")[0] == 403, route


@pytest.mark.full
def test_scope_tables_name_every_route(app: ModuleType) -> None:
    modules = {
        True: (
            "model_routes",
            "version_routes",
            "alias_routes",
            "rollout_routes",
            "metrics_routes",
            "capture_routes",
            "job_routes",
            "key_routes",
            "caller_routes",
        ),
        False: ("oip_routes", "repository_routes", "task_routes", "v1_routes", "invocations", "profile_routes"),
    }[hasattr(app, "app")]
    names = {"openapi", "swagger_ui_html", "swagger_ui_redirect"}
    for module in modules:
        found = __import__(module)
        router: APIRouter = getattr(found, "router", None) or found.routes
        names |= {route.name for route in router.routes}  # type: ignore[attr-defined]
    needs = __import__("scopes" if hasattr(app, "app") else "plane_scopes").NEEDS
    assert set(needs) == names
