"""The management API over HTTP."""

import httpx
import pytest

from maas_client import MaasClient
from support import onnx_models

FILE = {"name": "model.onnx", "size_bytes": 10, "sha256": "0" * 64}


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    path.write_bytes(onnx_models.linear())
    maas.push(path, "managed", alias="prod")


def test_create_list_and_show_model(http: httpx.Client) -> None:
    created = http.post("/api/v1/models", json={"name": "fresh", "description": "new", "tags": {"a": "b"}})
    assert created.status_code == 201
    body = created.json()
    assert (body["description"], body["tags"], body["aliases"], body["latest_ready_version"]) == (
        "new",
        {"a": "b"},
        {},
        None,
    )
    assert http.get("/api/v1/models/fresh").json() == body
    assert body in http.get("/api/v1/models").json()["models"]
    again = http.post("/api/v1/models", json={"name": "fresh"})
    assert (again.status_code, again.json()["field"]) == (409, "name")


def test_list_pages(http: httpx.Client) -> None:
    first = http.get("/api/v1/models", params={"limit": 1}).json()
    second = http.get("/api/v1/models", params={"limit": 1, "page_token": first["next_page_token"]}).json()
    assert first["models"][0]["name"] < second["models"][0]["name"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/models", {"page_token": "M#x"}),
        ("/models", {"limit": "0"}),
        ("/models", {"limit": "many"}),
        ("/models/managed/versions", {"page_token": "V#1"}),
        ("/models/managed/versions", {"page_token": "-1"}),
    ],
)
def test_bad_page_is_400(http: httpx.Client, path: str, query: dict[str, str]) -> None:
    answer = http.get(f"/api/v1{path}", params=query)
    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(query)))


def test_bad_name_names_field(http: httpx.Client) -> None:
    for name in ("x" * 3000, "%C3%BC", "No%20Name"):
        answer = http.get(f"/api/v1/models/{name}")
        assert (answer.status_code, answer.json()["field"]) == (400, "model")
        assert http.get(f"/v2/models/{name}").status_code == 404
    answer = http.put("/api/v1/models/managed/aliases/12", json={"version": 1})
    assert (answer.status_code, answer.json()["field"]) == (400, "alias")


def test_405_lists_allowed_methods(http: httpx.Client) -> None:
    answer = http.post("/api/v1/models/managed", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PATCH")


def test_version_lists_its_aliases(http: httpx.Client) -> None:
    shown = http.get("/api/v1/models/managed/versions/1").json()
    assert shown["aliases"] == ["prod"]
    assert http.get("/api/v1/models/managed/versions").json()["versions"] == [shown]


def test_alias_lifecycle(http: httpx.Client) -> None:
    path = "/api/v1/models/managed/aliases/canary"
    put = http.put(path, json={"version": 1})
    assert (put.status_code, put.json()["version"]) == (200, 1)
    assert http.get(path).json() == put.json()
    listed = http.get("/api/v1/models/managed/aliases").json()["aliases"]
    assert [alias["alias"] for alias in listed] == ["canary", "prod"]
    assert http.delete(path).status_code == 204
    assert http.get(path).status_code == http.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/models", {"name": "No Name"}, "name"),
        ("/models", {"name": "x", "colour": "red"}, "colour"),
        ("/models", {"name": "x", "tags": {"k": 1}}, "tags.k"),
        ("/models/managed/versions", {"files": []}, "files"),
        ("/models/managed/versions", {"files": [FILE | {"name": "../model.onnx"}]}, "files.0.name"),
        ("/models/managed/versions", {"files": [FILE | {"sha256": "abc"}]}, "files.0.sha256"),
        ("/models/managed/versions", {"files": [FILE | {"size_bytes": "10"}]}, "files.0.size_bytes"),
        ("/models/managed/versions", {"files": [FILE, FILE]}, "files"),
        ("/models/managed/versions", {"files": [FILE | {"name": "weights.bin"}]}, "files"),
        ("/models/managed/versions", {"files": [FILE], "golden": {"atol": False}}, "golden.atol"),
    ],
)
def test_bad_input_names_field(http: httpx.Client, path: str, body: dict[str, object], field: str) -> None:
    answer = http.post(f"/api/v1{path}", json=body)
    assert (answer.status_code, answer.json().get("field")) == (400, field), answer.text


def test_oversized_body_is_413(http: httpx.Client) -> None:
    answer = http.post("/api/v1/models/managed/versions", json={"files": [FILE | {"size_bytes": 11 * 1024**3}]})
    assert (answer.status_code, answer.json()["field"]) == (413, "files")


@pytest.mark.parametrize("path", ["/models/managed/versions/99", "/models/none", "/models/none/versions"])
def test_unknown_is_404(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/api/v1{path}")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


@pytest.mark.parametrize("body", [b"{", b"\xff", b""])
def test_malformed_json_is_400(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/api/v1/models", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_openapi_document_is_served(http: httpx.Client) -> None:
    document = http.get("/api/v1/openapi.json").json()
    assert "/api/v1/models/{model}/versions/{number}/complete" in document["paths"]
    page = http.get("/api/v1/docs")
    assert page.status_code == 200
    assert "/api/v1/openapi.json" in page.text
