import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from maas_client import (
    CannotConnect,
    Conflict,
    InvalidInput,
    InvalidRequest,
    MaasClient,
    ModelVersion,
    NotAllowed,
    NotFound,
    ServerFailed,
)
from support.server.server import ContractServer, contract_server


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as server:
        yield server


@pytest.fixture
def maas(server: ContractServer) -> Iterator[MaasClient]:
    with MaasClient(server.url) as maas:
        yield maas


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"good" + bytes(range(256)) * 20_000)  # 5.1 MB
    return path


def pushed(maas: MaasClient, path: Path, alias: str | None = None) -> ModelVersion:
    return maas.push(path, "doubler", alias=alias, description="first", tags={"team": "vision"})


def test_lists_follow_their_pages(server: ContractServer, maas: MaasClient) -> None:
    for index in range(205):
        maas.create_model(f"m{index:03}")
    assert [model.name for model in maas.models()] == [f"m{index:03}" for index in range(205)]
    assert len(maas.models(limit=120)) == 120
    assert [path.partition("?")[2] for path in server.seen_paths("GET")] == [
        "limit=100",
        "limit=100&page_token=100",
        "limit=100&page_token=200",
        "limit=100",
        "limit=20&page_token=100",
    ]


def test_aliases_are_made_moved_listed_and_deleted(maas: MaasClient, onnx_file: Path) -> None:
    pushed(maas, onnx_file)
    pushed(maas, onnx_file)
    maas.set_alias("doubler", "production", 1)
    assert maas.set_alias("doubler", "production", 2).version == 2
    assert maas.alias("doubler", "production").version == 2
    assert [alias.alias for alias in maas.aliases("doubler")] == ["production"]
    maas.delete_alias("doubler", "production")
    with pytest.raises(NotFound, match="there is no alias 'production'"):
        maas.alias("doubler", "production")


def test_refusals_are_typed_and_say_what_to_do(server: ContractServer, maas: MaasClient, onnx_file: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no model 'nobody' \(HTTP 404; `maas models`") as caught:
        maas.model("nobody")
    assert (caught.value.status, caught.value.message) == (404, "there is no model 'nobody'")
    maas.create_model("doubler")
    with pytest.raises(Conflict) as conflict:
        maas.create_model("doubler")
    assert conflict.value.field == "name"
    pushed(maas, onnx_file)
    with pytest.raises(InvalidRequest, match=r"inputs\[x\]"):
        maas.infer("doubler", {"x": np.zeros((1, 3), np.float32)}, binary=False)
    server.trouble = [("GET", 403)]
    with pytest.raises(NotAllowed, match="MAAS_API_KEY"):
        maas.models()


def test_reads_and_inference_are_tried_again_but_nothing_is_made_twice(
    server: ContractServer, maas: MaasClient, onnx_file: Path
) -> None:
    pushed(maas, onnx_file)
    server.trouble = [("/infer", 503), ("/infer", None), ("GET", 429)]
    maas.infer("doubler", {"x": np.zeros((1, 2), np.float32)}, binary=False)
    maas.models()
    server.trouble = [("POST /api/v1/models$", 503), ("POST /api/v1/models$", None)]
    maas.create_model("other")
    keys = [
        headers["idempotency-key"]
        for method, path, headers, _ in server.seen
        if (method, path) == ("POST", "/api/v1/models")
    ]
    assert len(keys) == 1 + 3  # the push, and three attempts
    assert len(set(keys[1:])) == 1
    server.trouble = [("/rollback", 503), ("/rollback", None)]  # twice would be there and back
    with pytest.raises(ServerFailed, match="Service Unavailable"):
        maas.roll_back("doubler", "production")
    with pytest.raises(CannotConnect):
        maas.roll_back("doubler", "production")


def test_nobody_at_the_url(server: ContractServer) -> None:
    with MaasClient("http://127.0.0.1:9") as maas, pytest.raises(CannotConnect, match="is `maas local` running there"):
        maas.models()
    with MaasClient(server.url + "/somewhere") as maas, pytest.raises(NotFound):
        maas.models()
    with pytest.raises(InvalidInput, match="it should look like"):
        MaasClient("127.0.0.1:8080")


def test_url_and_key_come_from_the_environment(server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAAS_URL", server.url + "/")
    monkeypatch.setenv("MAAS_API_KEY", "secret")
    with MaasClient() as maas:
        assert maas.models() == []
    assert server.seen[0][2]["x-api-key"] == "secret"


def test_everything_exported_is_there() -> None:
    import maas_client

    for name in maas_client.__all__:
        assert getattr(maas_client, name).__name__ == name
    with pytest.raises(AttributeError, match=re.escape("no attribute 'Nothing'")):
        _ = maas_client.Nothing
