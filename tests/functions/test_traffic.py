"""Aliases with routes through the functions: what PUT refuses, and what the inference routes pick."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conftest import LoadFunction
from maas.records import ModelFile, ModelVersion, Status
from maas.records.aliases import Alias, Route
from maas.registry import Resolution
from maas.serving.dataplane import DataPlane
from maas.serving.runner import Runner
from maas.serving.runner_cache import RunnerCache
from maas.settings import Settings
from support import onnx_models, wire
from support.registry_steps import FILE

ROUTES = [{"version": 2, "weight": 10}, {"version": 1, "weight": 90}]
WHO = {"lambda": {"actor": "key:0123456789abcdef", "scopes": "admin"}}


def asked(app: ModuleType, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> dict[str, Any]:
    event = wire.event(path, body, headers, method)
    event["requestContext"]["authorizer"] = WHO
    answer: dict[str, Any] = app.lambda_handler(event, wire.CONTEXT)
    return answer


@pytest.fixture
def management(load_function: LoadFunction) -> ModuleType:
    """With model `m` and its two READY versions."""
    app = load_function("ManagementFunction")
    registry = __import__("objects").registry
    registry.models.create("m", "", {}, "ann")
    for _ in range(2):
        number = registry.versions.create("m", [FILE], "", {}, "ann").number
        version = registry.validation.start("m", number, "ann")
        registry.validation.finish(replace(version, status=Status.READY), "ann")
    return app


def put(app: ModuleType, body: object, alias: str = "prod") -> tuple[int, dict[str, Any]]:
    answer = asked(app, f"/api/v1/models/m/aliases/{alias}", json.dumps(body).encode(), {}, "PUT")
    return answer["statusCode"], json.loads(answer["body"])


REFUSED: list[tuple[Any, str, str]] = [
    ({}, "body", "expected version, routes, sticky"),
    ({"version": None}, "body", "expected version, routes, sticky"),
    ({"version": 1, "routes": ROUTES}, "body", "expected either version or routes"),
    ({"weights": ROUTES}, "weights", "Extra inputs are not permitted"),
    ({"version": "1"}, "version", "valid integer"),
    ({"version": 0}, "version", "greater than or equal to 1"),
    ({"version": True}, "version", "valid integer"),
    ({"routes": {"1": 90, "2": 10}}, "routes", "valid list"),
    ({"routes": []}, "routes", "at least 2 items"),
    ({"routes": ROUTES[:1]}, "routes", "at least 2 items"),
    ({"routes": [{"version": number, "weight": 9} for number in range(1, 12)]}, "routes", "at most 10 items"),
    ({"routes": [1, 2]}, "routes.0", "dictionary or object"),
    ({"routes": [ROUTES[0], {"version": 1}]}, "routes.1.weight", "Field required"),
    ({"routes": [ROUTES[0], {"weight": 90}]}, "routes.1.version", "Field required"),
    ({"routes": [ROUTES[0], ROUTES[1] | {"name": "a"}]}, "routes.1.name", "Extra inputs are not permitted"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": 90.5}]}, "routes.1.weight", "valid integer"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": "90"}]}, "routes.1.weight", "valid integer"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": True}]}, "routes.1.weight", "valid integer"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": None}]}, "routes.1.weight", "valid integer"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": 0}]}, "routes.1.weight", "greater than or equal to 1"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": 101}]}, "routes.1.weight", "less than or equal to 100"),
    ({"routes": [ROUTES[0], {"version": 1, "weight": 91}]}, "routes", "got weights that sum to 101, expected 100"),
    ({"routes": [ROUTES[1], {"version": 1, "weight": 10}]}, "routes[1].version", "got 1 again, expected each version"),
    ({"version": 1, "sticky": "user"}, "sticky", ", expected none, caller or header:NAME"),
    ({"version": 1, "sticky": "header:"}, "sticky", ", expected none, caller or header:NAME"),
    ({"version": 1, "sticky": "header:a b"}, "sticky", ", expected none, caller or header:NAME"),
    ({"version": 1, "sticky": True}, "sticky", "valid string"),
    ([ROUTES], "body", "valid dictionary or object"),
]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(("body", "field", "said"), REFUSED, ids=[json.dumps(one)[:60] for one, *_ in REFUSED])
def test_refused_bodies(management: ModuleType, body: object, field: str, said: str) -> None:
    status, document = put(management, body)
    assert (status, document["field"]) == (400, field)
    assert said in document["error"]
    assert asked(management, "/api/v1/models/m/aliases/prod", b"", {}, "GET")["statusCode"] == 404


def test_alias_as_the_api_shows_it(management: ModuleType) -> None:
    assert put(management, {"sticky": "caller"}) == (404, {"error": "there is no alias 'prod' of model 'm'"})
    assert put(management, {"version": 1.0})[0] == 200
    status, split = put(management, {"routes": ROUTES[::-1], "sticky": "header:X-User"})
    whole = [{"version": 1, "weight": 100}]
    expected = {"version": 1, "routes": ROUTES, "sticky": "header:X-User", "previous_version": 1}
    assert (status, split) == (200, split | expected | {"previous_routes": whole})
    assert "salt" not in json.dumps(split)
    assert put(management, {"sticky": "none"})[1]["routes"] == ROUTES
    model = json.loads(asked(management, "/api/v1/models/m", b"", {}, "GET")["body"])
    assert (model["aliases"], model["splits"]) == ({"prod": 1}, {"prod": ROUTES})
    for number in (1, 2):
        version = json.loads(asked(management, f"/api/v1/models/m/versions/{number}", b"", {}, "GET")["body"])
        assert version["aliases"] == ["prod"]
    at = asked(management, f"/api/v1/models/m/aliases/prod?at={split['updated_at']}", b"", {}, "GET")
    assert {name: json.loads(at["body"])[name] for name in ("version", "routes")} == {"version": 1, "routes": ROUTES}
    deleted = asked(management, "/api/v1/models/m/versions/2?force=true", b"", {}, "DELETE")
    gone = json.loads(deleted["body"])
    assert (gone["removed_aliases"], gone["changed_aliases"]) == ([], ["prod"])
    alone = json.loads(asked(management, "/api/v1/models/m/aliases/prod", b"", {}, "GET")["body"])
    assert (alone["routes"], alone["previous_routes"]) == (whole, ROUTES)


def test_document_has_the_header(load_function: LoadFunction) -> None:
    load_function("InferenceFunction")
    paths = __import__("web_app").application(None, Settings("t", "b")).openapi()["paths"]
    said = {
        path
        for path, methods in paths.items()
        if "headers" in methods.get("post", {}).get("responses", {}).get("200", {})
    }
    for path in ("/v2/models/{model}/infer", "/v1/models/{model}/labels/{reference}:predict", "/invocations"):
        assert path in said
    assert {"/v1/embeddings", "/v2/rerank", "/models/{model}/embed", "/v2/models/{model}/profile"} <= said


class Split:
    """A registry of one model of two versions, each with half of the requests."""

    def __init__(self, sticky: str) -> None:
        self.alias = Alias(1, "", 1, routes=(Route(2, 50), Route(1, 50)), sticky=sticky, salt="00")
        self.reads = 0

    def resolution(self, model: str, reference: str | None) -> Resolution:
        self.reads += 1
        numbers = (route.version for route in self.alias.routes)
        versions = (ModelVersion(model, one, Status.READY, (ModelFile("m.onnx", 1, ""),), "", "", 1) for one in numbers)
        return Resolution(self.alias.routes, tuple(versions), reference, self.alias)


@pytest.mark.parametrize("sticky", ["none", "caller", "header:X-User"])
def test_one_pick_a_request(sticky: str, tmp_path: Path) -> None:
    """Header, body and the arrays agree on each route, and the alias is read once."""
    for number in (1, 2):
        (tmp_path / f"{number}.onnx").write_bytes(onnx_models.linear(float(number)))
    app, registry = wire.inference_function({}), Split(sticky)
    cache = RunnerCache(lambda version, _: Runner(tmp_path / f"{version.number}.onnx", threads=1), 1 << 30)
    app.dataplane = DataPlane(registry, cache, 3600)  # type: ignore[arg-type, attr-defined]
    x = [[1.0, 2.0, 3.0]]
    oip = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": x}]}).encode()
    rows = json.dumps({"instances": x}).encode()
    picked = set()
    for index in range(40):
        for path, body in (
            ("/v2/models/m/versions/prod/infer", oip),
            ("/v1/models/m/versions/prod:predict", rows),
            ("/invocations?model=m&version=prod", rows),
        ):
            answer = asked(app, path, body, {"X-User": f"u{index}"})
            assert answer["statusCode"] == 200, answer["body"]
            number, document = int(answer["headers"]["maas-version"]), json.loads(answer["body"])
            y = document["outputs"][0]["data"] if path.endswith("infer") else document["predictions"][0]
            assert y == [6.0 * number] * 2
            assert document.get("model_version", str(number)) == str(number)
            picked.add((number, index if sticky.startswith("header") else 0))
    by_user = {user: {number for number, one in picked if one == user} for _, user in picked}
    assert {len(numbers) for numbers in by_user.values()} == ({2} if sticky == "none" else {1})
    assert len({number for number, _ in picked}) == (1 if sticky == "caller" else 2)
    assert registry.reads == 1
