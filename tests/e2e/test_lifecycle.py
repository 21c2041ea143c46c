"""The life of models, versions and aliases over HTTP: change, delete, restore, purge, history."""

import itertools
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_client import Conflict, Gone, MaasClient, NotFound, PreconditionFailed
from support import onnx_models

_names = (f"lifecycle-{index}" for index in itertools.count())
SOON_SECONDS = 60.0  # MAAS_RESOLVE_TTL_SECONDS, and a busy machine


@pytest.fixture
def model(maas: MaasClient, tmp_path: Path) -> str:
    """A model whose versions 1 and 2 multiply by 1 and 2; `prod` was moved from 1 to 2."""
    name, path = next(_names), tmp_path / "model.onnx"
    for weight in (1.0, 2.0):
        path.write_bytes(onnx_models.linear(weight))
        maas.push(path, name, alias="prod", description=f"weighs {weight:g}", tags={"weight": f"{weight:g}"})
    return name


def bodies(http: httpx.Client, model: str) -> list[Any]:
    """The GET bodies of the model, its versions and aliases, without times of change."""
    paths = ("", "/versions", "/versions/1", "/versions/2", "/aliases")
    return [without_changes(http.get(f"/api/v1/models/{model}{path}").raise_for_status().json()) for path in paths]


def without_changes(body: Any) -> Any:
    if isinstance(body, list):
        return [without_changes(one) for one in body]
    if isinstance(body, dict):
        return {key: without_changes(value) for key, value in body.items() if key != "updated_at"}
    return body


def infer(http: httpx.Client, path: str) -> httpx.Response:
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 1, 1]}
    return http.post(f"/v2/models/{path}/infer", json={"inputs": [tensor]})


def status_within(http: httpx.Client, path: str, status: int) -> httpx.Response:
    deadline = time.monotonic() + SOON_SECONDS
    while (answer := infer(http, path)).status_code != status and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer.status_code == status, answer.text
    return answer


def test_restore_deleted_model(http: httpx.Client, model: str) -> None:
    before = bodies(http, model)
    path = f"/api/v1/models/{model}"
    deleted = http.delete(path)
    assert (deleted.status_code, deleted.json()["status"]) == (200, "DELETED")
    for gone in ("", "/versions", "/versions/1", "/versions/1/files", "/aliases", "/aliases/prod"):
        answer = http.get(path + gone)
        assert answer.status_code == 410, gone
        assert f"POST {path}/restore" in answer.json()["error"]
    assert f"POST {path}/restore" in status_within(http, f"{model}/versions/prod", 410).json()["error"]
    assert http.get(path, params={"include_deleted": True}).json()["deleted_at"]
    assert http.get(f"{path}/versions", params={"include_deleted": True}).json()["versions"]
    taken = http.post("/api/v1/models", json={"name": model})
    assert (taken.status_code, taken.json()["field"]) == (409, "name")

    assert http.post(f"{path}/restore").status_code == 200
    assert bodies(http, model) == before
    assert status_within(http, f"{model}/versions/prod", 200).json()["outputs"][0]["data"] == [6, 6]


@pytest.mark.full
def test_force_deletes_version_with_aliases(http: httpx.Client, model: str) -> None:
    path = f"/api/v1/models/{model}/versions/2"
    refused = http.delete(path)
    assert refused.status_code == 409
    assert "prod" in refused.json()["error"]
    deleted = http.delete(path, params={"force": True})
    assert (deleted.status_code, deleted.json()["removed_aliases"]) == (200, ["prod"])
    assert http.get(path).status_code == 410
    assert http.get(f"/api/v1/models/{model}/aliases").json() == {"aliases": []}
    assert http.get(f"/api/v1/models/{model}").json()["latest_ready_version"] == 1
    assert [one["version"] for one in http.get(f"/api/v1/models/{model}/versions").json()["versions"]] == [1]
    restored = http.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["aliases"], restored.json()["status"]) == (200, [], "READY")
    assert http.get(f"/api/v1/models/{model}").json()["latest_ready_version"] == 2


@pytest.mark.full
def test_purge_needs_deletion_and_is_final(http: httpx.Client, model: str) -> None:
    path = f"/api/v1/models/{model}"
    url = http.get(f"{path}/versions/1/files").json()["files"][0]["url"]
    assert httpx.get(url, timeout=60).content == onnx_models.linear(1.0)
    refused = http.delete(path, params={"purge": True})
    assert refused.status_code == 409
    assert "delete it before purging" in refused.json()["error"]

    etag = http.delete(path).headers["etag"]
    stale = http.delete(path, params={"purge": True}, headers={"if-match": '"1"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, etag)
    assert http.delete(path, params={"purge": True}, headers={"if-match": etag}).status_code == 204
    assert http.get(path, params={"include_deleted": True}).status_code == 404
    assert httpx.get(url, timeout=60).status_code == 404
    assert http.delete(path, params={"purge": True}).status_code == 204
    kinds = [entry["kind"] for entry in http.get(f"{path}/history").json()["entries"]]
    assert kinds[:3] == ["model.purged", "model.purging", "model.deleted"]

    assert http.post("/api/v1/models", json={"name": model}).status_code == 201
    file = {"name": "model.onnx", "size_bytes": 10, "sha256": "0" * 64}
    assert http.post(f"{path}/versions", json={"files": [file]}).json()["version"] == 3  # numbers are not reused


@pytest.mark.full
def test_purge_of_one_version(http: httpx.Client, model: str) -> None:
    path = f"/api/v1/models/{model}/versions/1"
    http.delete(path)
    assert http.delete(path, params={"purge": True}).status_code == 204
    assert http.get(path, params={"include_deleted": True}).status_code == 404
    assert http.post(f"{path}/restore").status_code == 404
    assert infer(http, f"{model}/versions/2").status_code == 200


@pytest.mark.full
def test_if_match(http: httpx.Client, model: str) -> None:
    for path, method, body in (
        ("", "PATCH", {"description": "new"}),
        ("/versions/1", "PATCH", {"tags": {"a": "b"}}),
        ("/aliases/prod", "PUT", {"version": 1}),
        ("/aliases/prod/rollback", "POST", None),
        ("/aliases/prod", "DELETE", None),
        ("/versions/1", "DELETE", None),
        ("", "DELETE", None),
    ):
        item = f"/api/v1/models/{model}{path.removesuffix('/rollback')}"
        now = http.get(item)
        refused = http.request(method, f"/api/v1/models/{model}{path}", json=body, headers={"if-match": '"0"'})
        assert refused.status_code == 412, path
        assert refused.json()["field"] == "If-Match"
        assert (refused.json()["current"], refused.headers["etag"]) == (now.json(), now.headers["etag"])
        headers = {"if-match": now.headers["etag"]}
        changed = http.request(method, f"/api/v1/models/{model}{path}", json=body, headers=headers)
        assert changed.status_code in (200, 204), (path, changed.text)


@pytest.mark.full
def test_idempotency_key(http: httpx.Client) -> None:
    name, headers = next(_names), {"idempotency-key": "k-1"}
    first = http.post("/api/v1/models", json={"name": name}, headers={"idempotency-key": f"m-{name}"})
    again = http.post("/api/v1/models", json={"name": name}, headers={"idempotency-key": f"m-{name}"})
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    file = {"name": "model.onnx", "size_bytes": 10, "sha256": "0" * 64}
    path = f"/api/v1/models/{name}/versions"
    numbers = {http.post(path, json={"files": [file]}, headers=headers).json()["version"] for _ in range(3)}
    assert numbers == {1}
    other = http.post(path, json={"files": [file], "description": "other"}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (409, "Idempotency-Key")


@pytest.mark.full
def test_alias_at_a_time(http: httpx.Client, model: str) -> None:
    path = f"/api/v1/models/{model}/aliases/prod"
    moves = http.get(f"/api/v1/models/{model}/history", params={"kind": "alias.set"}).json()["entries"]
    assert [entry["after"] for entry in moves] == [{"version": 2}, {"version": 1}]
    back = http.post(f"{path}/rollback").json()
    assert (back["version"], back["previous_version"]) == (1, 2)
    http.delete(f"/api/v1/models/{model}")
    for at, version in (
        ("2020-01-31T12:00:00Z", None),
        (moves[1]["at"], 1),
        (moves[0]["at"], 2),
        (back["updated_at"], 1),
        ("2999-01-31T12:00:00+02:00", None),
    ):
        assert http.get(path, params={"at": at}).json()["version"] == version, at


@pytest.mark.full
def test_list_filters(http: httpx.Client, model: str) -> None:
    versions = f"/api/v1/models/{model}/versions"

    def numbers(**query: Any) -> list[int]:
        return [one["version"] for one in http.get(versions, params=query).raise_for_status().json()["versions"]]

    assert numbers(tag="weight=2") == [2]
    assert numbers(tag="weight") == [2, 1]
    assert numbers(tag=["weight", "weight=1"]) == [1]
    assert numbers(status="FAILED") == []
    http.patch(f"/api/v1/models/{model}", json={"tags": {"only": model}})
    listed = http.get("/api/v1/models", params={"tag": f"only={model}", "prefix": "life", "status": "READY"}).json()
    assert [one["name"] for one in listed["models"]] == [model]
    assert http.get("/api/v1/models", params={"tag": f"only={model}", "status": "EMPTY"}).json()["models"] == []


@pytest.mark.full
def test_history_pages_and_forged_token(http: httpx.Client, api_key: str, model: str) -> None:
    path = f"/api/v1/models/{model}/history"
    whole = http.get(path).json()["entries"]
    assert [entry["revision"] for entry in whole] == list(range(len(whole), 0, -1))
    assert {entry["actor"] for entry in whole} == {f"key:{api_key.split('_')[1]}", "deployment"}
    found: list[Any] = []
    token = None
    while True:
        page = http.get(path, params={"limit": 3} | ({"page_token": token} if token else {})).json()
        found += page["entries"]
        token = page["next_page_token"]
        if token is None:
            break
        other = http.get(path, params={"page_token": token, "kind": "alias.set"})
        forged = http.get(path, params={"page_token": token[:-4] + "AAAA"})
        for refused in (other, forged):
            assert (refused.status_code, refused.json()["field"]) == (400, "page_token")
    assert found == whole
    assert http.get(path, params={"actor": "nobody"}).json()["entries"] == []


@pytest.mark.full
def test_client_lifecycle(maas: MaasClient, model: str, tmp_path: Path) -> None:
    read = maas.models.get(model)
    maas.models.update(model, tags={"a": "b"}, if_match=read.etag)
    with pytest.raises(PreconditionFailed) as failed:
        maas.models.update(model, tags={"a": "c"}, if_match=read.etag)
    assert failed.value.current
    assert failed.value.current["tags"] == {"a": "b"}
    assert maas.versions.update(model, 1, description="older", tags={"weight": None}).tags == {}
    assert maas.aliases.rollback(model, "prod").version == 1
    paths = maas.versions.download(model, 2, tmp_path / "got")
    assert [path.read_bytes() for path in paths] == [onnx_models.linear(2.0)]
    with pytest.raises(Conflict, match="prod"):
        maas.versions.delete(model, 1)
    gone = maas.versions.delete(model, 1, force=True)
    assert (bool(gone.version.deleted_at), gone.removed_aliases) == (True, ("prod",))
    maas.models.delete(model)
    with pytest.raises(Gone):
        maas.models.get(model)
    assert maas.models.restore(model).deleted_at is None
    maas.models.delete(model)
    assert maas.models.purge(model)
    with pytest.raises(NotFound):
        maas.models.restore(model)
    assert maas.models.history(model, 1)[0].kind == "model.purged"
