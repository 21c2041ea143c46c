"""Pushing a version with both clients, over real HTTP."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import DeploymentFailed, InvalidInput, InvalidRequest, ModelVersion, Progress, TimedOut, UploadFailed
from support.server.clients import client_of
from support.server.server import HANG_UP
from support.server.server import ContractServer as Server


def pushed(maas: Any, path: Path, alias: str | None = None) -> ModelVersion:
    return maas.push(path, "doubler", alias=alias, description="first", tags={"team": "vision"})


def test_push(server: Server, maas: Any, onnx_file: Path) -> None:
    version = pushed(maas, onnx_file, alias="production")

    assert (version.version, version.status, version.aliases) == (1, "READY", ("production",))
    assert (version.description, version.tags) == ("first", {"team": "vision"})
    assert [(one.name, one.datatype, one.shape) for one in version.inputs] == [("x", "FP32", (-1, 2))]
    assert server.stored("doubler", 1, "model.onnx") == onnx_file.read_bytes()
    assert maas.models.get("doubler").aliases == {"production": 1}
    assert pushed(maas, onnx_file).version == 2


def test_push_folder_in_parts(server: Server, maas: Any, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "model.onnx").write_bytes(b"good\x0a\x08location\x12\x0fweights/all.bin")
    (tmp_path / "weights" / "all.bin").write_bytes(bytes(range(256)) * 1000)
    (tmp_path / ".DS_Store").write_bytes(b"hidden")
    server.part_bytes = 100_000

    version = maas.push(tmp_path, "big")

    assert sorted(file.name for file in version.files) == ["model.onnx", "weights/all.bin"]
    assert server.stored("big", 1, "weights/all.bin") == bytes(range(256)) * 1000
    assert len(server.parts["/bucket/big/1/weights/all.bin"]) == 3


def test_uploads_carry_signed_headers_not_key(server: Server, kind: str, onnx_file: Path) -> None:
    with client_of(kind, server.url, api_key="secret") as maas:
        pushed(maas, onnx_file)
    (upload,) = [headers for method, _, headers, _ in server.seen if method == "PUT"]
    assert upload["x-amz-checksum-sha256"] == "sum"
    assert upload["content-length"] == str(onnx_file.stat().st_size)
    assert "x-api-key" not in upload
    assert all(headers["x-api-key"] == "secret" for method, _, headers, _ in server.seen if method != "PUT")


def test_upload_retried(server: Server, maas: Any, onnx_file: Path) -> None:
    server.trouble = [("PUT /bucket", 503), ("PUT /bucket", HANG_UP)]
    seen: list[Progress] = []
    maas.push(onnx_file, "doubler", progress=seen.append)
    size_bytes = onnx_file.stat().st_size
    assert server.stored("doubler", 1, "model.onnx") == onnx_file.read_bytes()
    assert len(server.seen_paths("PUT")) == 3
    assert [one.done_bytes for one in seen if one.stage == "hashing"][-1] == size_bytes
    assert [one.done_bytes for one in seen if one.stage == "uploading"][-1] == size_bytes
    assert max(one.done_bytes for one in seen) == size_bytes
    assert seen[-2:] == [Progress("checking", 0, 0), Progress("loading", 0, 0)]  # the last is told by the server


def test_refused_upload_not_retried(server: Server, maas: Any, onnx_file: Path) -> None:
    server.trouble = [("PUT /bucket", 403)]
    with pytest.raises(UploadFailed, match=r"model\.onnx: HTTP 403.*Upload it again"):
        pushed(maas, onnx_file)
    assert len(server.seen_paths("PUT")) == 1


def test_failed_version_reason(maas: Any, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"bad")
    with pytest.raises(DeploymentFailed, match=r"version 1 of 'doubler' was refused: model\.onnx is not an ONNX file"):
        pushed(maas, tmp_path, alias="production")


@pytest.mark.parametrize("trouble", [[], [("POST .*/versions", 400)], [("PUT /bucket", 403)]])
def test_refused_push_leaves_no_empty_model(
    server: Server, maas: Any, tmp_path: Path, trouble: list[tuple[str, int]]
) -> None:
    server.trouble = trouble
    (tmp_path / "model.onnx").write_bytes(b"bad")
    with pytest.raises((DeploymentFailed, InvalidRequest, UploadFailed)):
        pushed(maas, tmp_path)
    assert maas.models.list() == []


def test_refused_push_leaves_existing_model(maas: Any, onnx_file: Path, tmp_path: Path) -> None:
    maas.models.create("doubler", "mine")
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"bad")
    with pytest.raises(DeploymentFailed):
        maas.push(bad, "doubler")
    assert maas.models.get("doubler").description == "mine"
    assert maas.versions.get("doubler", 1).status == "FAILED"
    assert pushed(maas, onnx_file, alias="production").version == 2
    with pytest.raises(DeploymentFailed):
        maas.push(bad, "doubler")
    assert maas.aliases.list("doubler")[0].version == 2


def test_alias_refusal_leaves_version_ready(server: Server, maas: Any, onnx_file: Path) -> None:
    server.trouble = [("PUT .*/aliases/", 400)]
    with pytest.raises(InvalidRequest, match="version 1 is READY, but alias 'production' was not set: "):
        pushed(maas, onnx_file, alias="production")
    assert maas.versions.get("doubler", 1).status == "READY"


@pytest.mark.parametrize("alias", ["7", "Production", "", "a b", "x" * 64])
def test_wrong_alias_is_refused_before_anything_is_sent(server: Server, maas: Any, onnx_file: Path, alias: str) -> None:
    with pytest.raises(InvalidInput, match="alias: got"):
        maas.push(onnx_file, "doubler", alias=alias)
    assert server.seen == []


def test_push_timeout(server: Server, maas: Any, onnx_file: Path) -> None:
    server.looks_until_ready = 1000
    with pytest.raises(TimedOut, match=r"still VALIDATING after 1 s: look again with `maas show doubler@1`"):
        maas.push(onnx_file, "doubler", timeout_seconds=1)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no .onnx file"),
        (["weights.bin"], "holds no .onnx file"),
        (["a.onnx", "b.onnx"], r"holds 2 .onnx files \(a.onnx, b.onnx\)"),
    ],
)
def test_push_refuses_folders_without_one_model(
    server: Server, maas: Any, tmp_path: Path, files: list[str], message: str
) -> None:
    for name in files:
        (tmp_path / name).write_bytes(b"good")
    with pytest.raises(InvalidInput, match=message):
        pushed(maas, tmp_path)
    assert server.seen == []


def test_push_refuses_other_missing_and_empty_files(maas: Any, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"good")
    with pytest.raises(InvalidInput, match=r"is not an \.onnx file"):
        pushed(maas, tmp_path / "model.pt")
    with pytest.raises(InvalidInput, match="there is no file or folder"):
        pushed(maas, tmp_path / "model.onnx")
    (tmp_path / "model.onnx").touch()
    with pytest.raises(InvalidInput, match=f"^{re.escape(str(tmp_path / 'model.onnx'))} is empty"):
        pushed(maas, tmp_path / "model.onnx")


def test_example_of_arrays(server: Server, maas: Any, onnx_file: Path) -> None:
    arrays = {"x": np.zeros((1, 3, 640, 640), np.float32), "file": np.array(["a", "größer"], object), "list": [[1, 2]]}
    maas.push(onnx_file, "doubler", example=arrays, smoke_run="optional")
    with np.load(io.BytesIO(server.stored("doubler", 1, "example.npz")), allow_pickle=False) as stored:
        assert {name: stored[name].tolist() for name in ("file", "list")} == {"file": ["a", "größer"], "list": [[1, 2]]}
        np.testing.assert_array_equal(stored["x"], arrays["x"])
    assert server.versions["doubler", 1]["smoke_run"] == "optional"
    maas.push(onnx_file, "doubler")
    assert "smoke_run" not in server.versions["doubler", 2]


def test_example_file_stands_in_for_the_one_beside_the_model(server: Server, maas: Any, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"good")
    (folder / "example.npz").write_bytes(b"beside")
    (tmp_path / "Inputs.JSON").write_text("[[1, 2]]")
    version = maas.push(folder, "doubler", example=tmp_path / "Inputs.JSON")
    assert sorted(file.name for file in version.files) == ["example.json", "model.onnx"]
    assert server.stored("doubler", 1, "example.json") == b"[[1, 2]]"


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ("inputs.csv", r"inputs\.csv is no \.npz or \.json file"),
        ("missing.npz", r"there is no file missing\.npz"),
        ({}, "names no input"),
        ({"x": np.array([{}], object)}, "'x' holds a dict"),
        ({"x": np.ma.masked_array([1.0], mask=[True])}, "'x' holds masked values"),
        ({"x": [None, 1.0]}, "'x' holds None"),
        ({"x": [True, 0.5]}, "'x' holds values of several kinds"),
        ({"x": ["a", 1]}, "'x' holds values of several kinds"),
        ({"x": [[1], [1, 2]]}, "'x' has rows of several lengths"),
        ({"x": np.random.default_rng(7).random(200_000)}, r"the example has 1,\d{3},\d{3} bytes, at most 1,048,576"),
    ],
)
def test_wrong_examples_are_refused_before_anything_is_sent(
    server: Server, maas: Any, onnx_file: Path, example: Any, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        maas.push(onnx_file, "doubler", example=example)
    assert server.seen == []


def test_profile_at_shapes(server: Server, maas: Any, onnx_file: Path) -> None:
    maas.push(onnx_file, "doubler", alias="production")
    found = maas.versions.profile("doubler", "production", {"x": np.array([4, 2])}, runs=2)
    assert (found.model_version, found.shapes, found.runs, found.memory_mb) == ("1", {"x": (4, 2)}, 2, 1769)
    assert server.paths()[-1] == "/v2/models/doubler/versions/production/profile"
    with pytest.raises(InvalidRequest, match="expected"):
        maas.versions.profile("doubler", None, {"x": [4, 3]})
    for sizes in ([4, 2.7], ["4", 2], [None], 4):
        with pytest.raises(InvalidInput, match="integers"):
            maas.versions.profile("doubler", None, {"x": sizes})
