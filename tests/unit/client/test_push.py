from collections.abc import Iterator
from pathlib import Path

import pytest

from maas_client import (
    DeploymentFailed,
    InvalidInput,
    InvalidRequest,
    MaasClient,
    ModelVersion,
    Progress,
    TimedOut,
    UploadFailed,
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


def test_push_makes_the_model_uploads_the_file_and_sets_the_alias(
    server: ContractServer, maas: MaasClient, onnx_file: Path
) -> None:
    version = pushed(maas, onnx_file, alias="production")

    assert (version.version, version.status, version.aliases) == (1, "READY", ("production",))
    assert (version.description, version.tags) == ("first", {"team": "vision"})
    assert [(one.name, one.datatype, one.shape) for one in version.inputs] == [("x", "FP32", (-1, 2))]
    assert server.stored("doubler", 1, "model.onnx") == onnx_file.read_bytes()
    assert maas.model("doubler").aliases == {"production": 1}
    assert pushed(maas, onnx_file).version == 2


def test_push_sends_a_folder_with_its_external_data_in_parts(
    server: ContractServer, maas: MaasClient, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "model.onnx").write_bytes(b"good")
    (tmp_path / "weights" / "all.bin").write_bytes(bytes(range(256)) * 1000)
    (tmp_path / ".DS_Store").write_bytes(b"hidden")
    server.part_bytes = 100_000

    version = maas.push(tmp_path, "big")

    assert sorted(file.name for file in version.files) == ["model.onnx", "weights/all.bin"]
    assert server.stored("big", 1, "weights/all.bin") == bytes(range(256)) * 1000
    assert len(server.parts["/bucket/big/1/weights/all.bin"]) == 3


def test_uploads_carry_the_signed_headers_and_never_the_key(server: ContractServer, onnx_file: Path) -> None:
    with MaasClient(server.url, api_key="secret") as maas:
        pushed(maas, onnx_file)
    (upload,) = [headers for method, _, headers, _ in server.seen if method == "PUT"]
    assert upload["x-amz-checksum-sha256"] == "sum"
    assert upload["content-length"] == str(onnx_file.stat().st_size)
    assert "x-api-key" not in upload
    assert all(headers["x-api-key"] == "secret" for method, _, headers, _ in server.seen if method != "PUT")


def test_an_upload_is_tried_again_after_a_server_error_and_a_lost_connection(
    server: ContractServer, maas: MaasClient, onnx_file: Path
) -> None:
    server.trouble = [("PUT /bucket", 503), ("PUT /bucket", None)]
    seen: list[Progress] = []
    maas.push(onnx_file, "doubler", progress=seen.append)
    size_bytes = onnx_file.stat().st_size
    assert server.stored("doubler", 1, "model.onnx") == onnx_file.read_bytes()
    assert len(server.seen_paths("PUT")) == 3
    assert [one.done_bytes for one in seen if one.stage == "hashing"][-1] == size_bytes
    assert [one.done_bytes for one in seen if one.stage == "uploading"][-1] == size_bytes
    assert max(one.done_bytes for one in seen) == size_bytes
    assert seen[-1] == Progress("checking", 0, 0)


def test_a_refused_upload_fails_at_once(server: ContractServer, maas: MaasClient, onnx_file: Path) -> None:
    server.trouble = [("PUT /bucket", 403)]
    with pytest.raises(UploadFailed, match=r"model\.onnx: HTTP 403.*Upload it again"):
        pushed(maas, onnx_file)
    assert len(server.seen_paths("PUT")) == 1


def test_a_failed_version_gives_its_reason(maas: MaasClient, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"bad")
    with pytest.raises(DeploymentFailed, match=r"version 1 of 'doubler' was refused: model\.onnx is not an ONNX file"):
        pushed(maas, tmp_path, alias="production")
    assert maas.aliases("doubler") == []


def test_a_version_is_ready_even_if_its_alias_is_refused(
    server: ContractServer, maas: MaasClient, onnx_file: Path
) -> None:
    server.trouble = [("PUT .*/aliases/", 400)]
    with pytest.raises(InvalidRequest, match="version 1 is READY, but alias 'production' was not set: "):
        pushed(maas, onnx_file, alias="production")
    assert maas.version("doubler", 1).status == "READY"


def test_a_version_that_is_checked_for_too_long_times_out(
    server: ContractServer, maas: MaasClient, onnx_file: Path
) -> None:
    server.looks_until_ready = 1000
    with pytest.raises(TimedOut, match=r"still VALIDATING after 0\.2 s: look again with `maas show doubler@1`"):
        maas.push(onnx_file, "doubler", timeout_seconds=0.2)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no .onnx file"),
        (["weights.bin"], "holds no .onnx file"),
        (["a.onnx", "b.onnx"], r"holds 2 .onnx files \(a.onnx, b.onnx\)"),
    ],
)
def test_push_refuses_folders_it_cannot_understand(
    server: ContractServer, maas: MaasClient, tmp_path: Path, files: list[str], message: str
) -> None:
    for name in files:
        (tmp_path / name).write_bytes(b"good")
    with pytest.raises(InvalidInput, match=message):
        pushed(maas, tmp_path)
    assert server.seen == []


def test_push_refuses_other_files_and_missing_ones(maas: MaasClient, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"good")
    with pytest.raises(InvalidInput, match=r"is not an \.onnx file"):
        pushed(maas, tmp_path / "model.pt")
    with pytest.raises(InvalidInput, match="there is no file or folder"):
        pushed(maas, tmp_path / "model.onnx")
    (tmp_path / "model.onnx").touch()
    with pytest.raises(InvalidInput, match="is empty"):
        pushed(maas, tmp_path / "model.onnx")
