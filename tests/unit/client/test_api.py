"""Models, versions and aliases with both clients, over real HTTP."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import (
    CannotConnect,
    Conflict,
    InvalidInput,
    InvalidRequest,
    MaasClient,
    NotAllowed,
    NotFound,
    Route,
    ServerFailed,
)
from support.server.clients import client_of
from support.server.server import HANG_UP
from support.server.server import ContractServer as Server


def test_lists_follow_pages(server: Server, maas: Any) -> None:
    for index in range(205):
        maas.models.create(f"m{index:03}")
    assert [model.name for model in maas.models.list()] == [f"m{index:03}" for index in range(205)]
    assert len(maas.models.list(limit=120)) == 120
    assert [path.partition("?")[2] for path in server.seen_paths("GET")] == [
        "limit=100",
        "limit=100&page_token=100",
        "limit=100&page_token=200",
        "limit=100",
        "limit=20&page_token=100",
    ]


def test_alias_life(maas: Any, onnx_file: Path) -> None:
    maas.push(onnx_file, "doubler")
    maas.push(onnx_file, "doubler")
    maas.aliases.set("doubler", "production", 1)
    assert maas.aliases.set("doubler", "production", 2).version == 2
    assert maas.aliases.get("doubler", "production").version == 2
    assert [alias.alias for alias in maas.aliases.list("doubler")] == ["production"]
    maas.aliases.delete("doubler", "production")
    with pytest.raises(NotFound, match="there is no alias 'production'"):
        maas.aliases.get("doubler", "production")


def test_alias_with_routes(server: Server, maas: Any, onnx_file: Path) -> None:
    for _ in range(2):
        maas.push(onnx_file, "doubler")
    maas.aliases.set("doubler", "production", 1)
    split = maas.aliases.set("doubler", "production", routes={1: 90, 2: 10}, sticky="header:x-user")
    routes = (Route(2, 10), Route(1, 90))
    assert (split.version, split.routes, split.sticky) == (1, routes, "header:x-user")
    assert (split.previous_version, split.previous_routes) == (1, (Route(1, 100),))
    assert maas.aliases.set("doubler", "production", sticky="none").routes == routes
    bodies = [body for method, path, _, body in server.seen if method == "PUT" and "/aliases/" in path]
    assert [json.loads(body) for body in bodies] == [
        {"version": 1},
        {"routes": [{"version": 1, "weight": 90}, {"version": 2, "weight": 10}], "sticky": "header:x-user"},
        {"sticky": "none"},
    ]


def test_headers_of_a_call(server: Server, maas: Any, onnx_file: Path) -> None:
    """Each call of inference takes some, for an alias that sticks to one; its own are not replaced."""
    maas.push(onnx_file, "doubler")
    x, more = np.zeros((1, 2), np.float32), {"X-User": "ann", "Content-Type": "text/plain", "Prefer": "nothing"}
    document = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
    calls: list[Callable[..., Any]] = [
        lambda **given: maas.infer("doubler", x, **given),
        lambda **given: maas.infer_response("doubler", {"x": x}, **given),
        lambda **given: maas.infer_json("doubler", document, **given),
        lambda **given: maas.infer_later("doubler", x, **given),
        lambda **given: maas.embed("sentences", ["a"], **given),
        lambda **given: maas.rerank("reranker", "a", ["b"], **given),
        lambda **given: maas.classify("reviews", ["a"], **given),
    ]
    for call in calls:
        server.seen.clear()
        call(headers=more)
        (sent,) = [headers for method, path, headers, _ in server.seen if (method, path[-6:]) == ("POST", "/infer")]
        assert sent["x-user"] == "ann"
        assert "text/plain" not in sent["content-type"]
        assert sent.get("prefer") in ("nothing", "respond-async")
        for wrong in ({"x-user": "ü"}, {"x-user": "a\nb"}, {"x user": "a"}, {"x-user": 1}):
            with pytest.raises(InvalidInput, match="no header can carry"):
                call(headers=wrong)


def test_refusals_are_typed_with_hint(server: Server, maas: Any, onnx_file: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no model 'nobody' \(HTTP 404; `maas models`") as caught:
        maas.models.get("nobody")
    assert (caught.value.status, caught.value.message) == (404, "there is no model 'nobody'")
    maas.models.create("doubler")
    with pytest.raises(Conflict) as conflict:
        maas.models.create("doubler")
    assert conflict.value.field == "name"
    maas.push(onnx_file, "doubler")
    with pytest.raises(InvalidRequest, match=r"inputs\[x\]"):
        maas.infer("doubler", {"x": np.zeros((1, 3), np.float32)}, binary=False)
    server.trouble = [("GET", 403)]
    with pytest.raises(NotAllowed, match="MAAS_API_KEY"):
        maas.models.list()


def test_reads_retried_creation_idempotent(server: Server, maas: Any, onnx_file: Path) -> None:
    maas.push(onnx_file, "doubler")
    server.trouble = [("/infer", 503), ("/infer", HANG_UP), ("GET", 429)]
    maas.infer("doubler", {"x": np.zeros((1, 2), np.float32)}, binary=False)
    maas.models.list()
    server.trouble = [("POST /api/v1/models$", 503), ("POST /api/v1/models$", HANG_UP)]
    maas.models.create("other")
    keys = [
        headers["idempotency-key"]
        for method, path, headers, _ in server.seen
        if (method, path) == ("POST", "/api/v1/models")
    ]
    assert len(keys) == 1 + 3  # the push, and three attempts
    assert len(set(keys[1:])) == 1
    server.trouble = [("/rollback", 503), ("/rollback", HANG_UP)]  # twice would be there and back
    with pytest.raises(ServerFailed, match="Service Unavailable"):
        maas.aliases.rollback("doubler", "production")
    with pytest.raises(CannotConnect):
        maas.aliases.rollback("doubler", "production")


def test_wrong_urls(server: Server, kind: str) -> None:
    with client_of(kind, "http://127.0.0.1:9") as maas, pytest.raises(CannotConnect, match="is `maas local` running"):
        maas.models.list()
    with client_of(kind, server.url + "/somewhere") as maas, pytest.raises(NotFound):
        maas.models.list()
    with pytest.raises(InvalidInput, match=r"url is '127\.0\.0\.1:8080': expected"):
        MaasClient("127.0.0.1:8080")


def test_url_and_key_from_environment(server: Server, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAAS_URL", server.url + "/")
    monkeypatch.setenv("MAAS_API_KEY", "secret")
    with client_of(kind, None) as maas:
        assert maas.models.list() == []
    assert server.seen[0][2]["x-api-key"] == "secret"


def test_exports() -> None:
    import maas_client

    for name in maas_client.__all__:
        assert getattr(maas_client, name).__name__ == name
    with pytest.raises(AttributeError, match=re.escape("no attribute 'Nothing'")):
        _ = maas_client.Nothing
