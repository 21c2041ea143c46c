"""Whatever the event, the answer is ours, and no decision depends on Host, the raw path or the shape of the event."""

import copy
import json
import random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from conftest import LoadFunction
from support import wire
from support.aws.engine import Cloud
from support.events import CASES, seed

HOSTS = ["[::1", "x:80/ping?", "x:80/v2/health/live#", "a b", "", "x:99999999", "]", "x\r\nhost: y", "ü", "x@y:z"]
VALUES: list[Any] = [
    None,
    True,
    -1,
    10**30,
    "",
    "/",
    "\ud800",
    "%",
    "a" * 100_000,
    [],
    ["a"],
    {},
    {"http": {}},
    {"a": {}},
]


@pytest.fixture(params=["ManagementFunction", "InferenceFunction"])
def app(request: pytest.FixtureRequest, cloud: Cloud, load_function: LoadFunction) -> ModuleType:
    seed(cloud)
    return load_function(request.param)


def answered(app: ModuleType, event: Any) -> dict[str, Any]:
    answer = app.lambda_handler(event, wire.CONTEXT)
    json.dumps(answer)
    return answer


def ask(app: ModuleType, path: str, headers: dict[str, str], *, caller: bool, body: bytes = b"") -> dict[str, Any]:
    event = wire.event(path, body, headers, "POST" if body else "GET")
    event["requestContext"]["authorizer"] = {"lambda": {"actor": "key:1", "scopes": "admin"}} if caller else None
    return answered(app, event)


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("host", HOSTS)
def test_host_decides_nothing(app: ModuleType, host: str) -> None:
    path = "/api/v1/models" if hasattr(app, "app") else "/v2/models"
    for name in ("host", "Host", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"):
        assert ask(app, path, {name: host}, caller=False)["statusCode"] == 401
        assert ask(app, path, {name: host}, caller=True)["statusCode"] == 200
        assert ask(app, f"{path}/../nowhere", {name: host}, caller=True)["statusCode"] == 404


@pytest.mark.full
def test_idempotency_and_page_tokens_ignore_the_host(cloud: Cloud, load_function: LoadFunction) -> None:
    seed(cloud)
    app = load_function("ManagementFunction")
    for host in ("a", "[::1", "x:80/ping?"):
        headers = {"host": host, "idempotency-key": "one", "content-type": "application/json"}
        assert ask(app, "/api/v1/models", headers, caller=True, body=b'{"name": "m"}')["statusCode"] == 201
    page = json.loads(ask(app, "/api/v1/models?limit=1", {"host": "a"}, caller=True)["body"])
    token = page["next_page_token"]
    for path in ("/api/v1/models", "/api/v1/models/"):
        following = ask(app, f"{path}?page_token={token}", {"host": "x:80/ping?"}, caller=True)
        assert [model["name"] for model in json.loads(following["body"])["models"]] == ["m"]
    refused = ask(app, f"/api/v1/jobs?page_token={token}", {"host": "x:80/api/v1/models?"}, caller=True)
    assert json.loads(refused["body"])["field"] == "page_token"


@pytest.mark.full
def test_documents_hold_nothing_of_a_request(app: ModuleType) -> None:
    """Neither pages nor OpenAPI documents repeat an address or a header."""
    mark = "<script>alert(1)</script>"
    headers = dict.fromkeys(("host", "x-forwarded-host", "x-forwarded-prefix", "referer", "user-agent"), mark)
    prefix = "/api/v1" if hasattr(app, "app") else "/v2"
    for path, kind in ((f"{prefix}/openapi.json", "application/json"), (f"{prefix}/docs", "text/html")):
        event = wire.event(f"{path}?url={mark}&x={mark}", b"", headers, "GET")
        event["requestContext"]["authorizer"] = {"lambda": {"actor": "key:1", "scopes": "admin"}}
        event["requestContext"]["stage"] = mark
        answer = answered(app, event)
        assert answer["statusCode"] == 200 and kind in answer["headers"]["content-type"], answer
        assert "alert(1)" not in answer["body"]
    missing = ask(app, f"{prefix}/{mark}", {}, caller=True)
    assert (missing["statusCode"], missing["headers"]["content-type"]) == (404, "application/json")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield (*path, name)
            yield from places(part, (*path, name))


def mutated(event: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """One to three parts removed or replaced by values of other types."""
    event = copy.deepcopy(event)
    for _ in range(chance.randint(1, 3)):
        *parents, last = chance.choice([*places(event)] or [("headers",)])
        target: Any = event
        for name in parents:
            target = target[name]
        if chance.random() < 0.3:
            target.pop(last, None)
        else:
            target[last] = copy.deepcopy(chance.choice(VALUES))
    return event


@pytest.mark.full
@pytest.mark.parametrize("function", ["ManagementFunction", "InferenceFunction", "AuthorizerFunction"])
def test_broken_events_are_answered(function: str, cloud: Cloud, load_function: LoadFunction) -> None:
    seed(cloud)
    app, chance = load_function(function), random.Random(1)
    events = [case.event for case in CASES if case.function == function]
    statuses = set()
    for _ in range(400):
        event = mutated(chance.choice(events), chance)
        answer = answered(app, event)
        if "statusCode" not in answer:
            assert isinstance(answer.get("ignored"), str) or answer["isAuthorized"], (event, answer)
            continue
        statuses.add(answer["statusCode"])
        assert answer["statusCode"] < 500, (event, answer)
        if answer["statusCode"] >= 400 and answer["body"]:
            error = json.loads(answer["body"]).get("error") or json.loads(answer["body"])["message"]
            said = error["message"] if isinstance(error, dict) else error  # an object on OpenAI's routes
            assert isinstance(said, str) and said, (event, answer)
    assert function == "AuthorizerFunction" or {200, 400, 401} <= statuses


@pytest.mark.full
@pytest.mark.parametrize("path", ["/ping", "/v2", "/v2/models/example", "/nowhere"])
def test_head_is_get_without_a_body(path: str, cloud: Cloud, load_function: LoadFunction) -> None:
    seed(cloud)
    app = load_function("InferenceFunction")
    event = wire.event(path, b"", {}, "GET")
    found = answered(app, event)
    event["requestContext"]["http"]["method"] = "HEAD"
    assert answered(app, event) == found | {"body": ""}
