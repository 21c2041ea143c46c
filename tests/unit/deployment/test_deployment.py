"""Deployment of an uploaded version on real S3 and DynamoDB calls."""

import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from maas import bootstrap
from maas.deployment import uploads
from maas.deployment.deploy import Deployment
from maas.deployment.preparation import Inspection
from maas.errors import Contended, NotFound, NotReady, UploadIncomplete
from maas.records import ModelFile, ModelVersion, Status, Variant
from maas.registry.state import ledger
from support import networks, onnx_models
from support.aws.engine import Cloud


@pytest.fixture(autouse=True)
def model(cloud: Cloud) -> None:
    cloud.create_model("m")


def infer(cloud: Cloud, number: int) -> bytes:
    body = b'{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}'
    return bootstrap.dataplane(cloud.settings).infer("m", str(number), body).body


def test_ready_version_pins_its_files(cloud: Cloud) -> None:
    version = cloud.deploy("m", onnx_models.linear())
    assert (version.status, version.status_reason) == (Status.READY, None)
    assert version.files[0].s3_version
    assert b"[6.0,6.0]" in infer(cloud, 1)


def test_ready_version_ignores_later_uploads(cloud: Cloud) -> None:
    cloud.deploy("m", onnx_models.linear())
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="models/m/1/source/model.onnx", Body=onnx_models.linear(7.0))
    assert b"[6.0,6.0]" in infer(cloud, 1)


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("content", "sha256", "reason"),
    [
        (onnx_models.linear()[:-20], None, "not a readable ONNX file"),
        (b"hello", None, "not a readable ONNX file"),
        (onnx_models.linear(opset=99), None, "Opset 99"),
        (onnx_models.never_runs(), None, "the smoke run failed"),
        (onnx_models.linear(), "0" * 64, "SHA-256"),
    ],
)
def test_bad_model_fails_with_reason(cloud: Cloud, content: bytes, sha256: str | None, reason: str) -> None:
    version = cloud.upload("m", content)
    if sha256:  # as if other bytes came after `complete` had looked
        cloud.s3.put_object(
            Bucket=cloud.settings.bucket, Key="models/m/1/source/model.onnx", Body=onnx_models.linear(3.0)
        )
    version = bootstrap.deployment(cloud.settings).deploy("m", version.number)
    assert version.status is Status.FAILED
    assert reason in (version.status_reason or "")
    with pytest.raises(NotReady, match="is FAILED, not READY"):
        infer(cloud, 1)


@pytest.mark.full
def test_missing_file_fails_version(cloud: Cloud) -> None:
    cloud.upload("m", onnx_models.linear())
    found = cloud.s3.list_object_versions(Bucket=cloud.settings.bucket, Prefix="models/m/1/source/model.onnx")
    for one in found["Versions"]:
        cloud.s3.delete_object(Bucket=cloud.settings.bucket, Key=one["Key"], VersionId=one["VersionId"])
    version = bootstrap.deployment(cloud.settings).deploy("m", 1)
    assert (version.status, version.status_reason) == (
        Status.FAILED,
        "there is no object 'models/m/1/source/model.onnx'",
    )


@pytest.mark.full
@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (
            {"max_tensor_bytes": 16},
            r"tensor 'w' of shape \[3, 2\] has 24 bytes, allowed are 16 .parameter MaxTensorBytes",
        ),
        ({"tmp_mb": 0}, r"needs \d+ bytes of local storage, this function has 0: raise the EphemeralStorage"),
    ],
)
def test_limit_names_its_parameter(cloud: Cloud, limits: dict[str, int], reason: str) -> None:
    version = Cloud(replace(cloud.settings, **limits)).deploy("m", onnx_models.linear())
    assert version.status is Status.FAILED
    assert re.search(reason, version.status_reason or ""), version.status_reason


@pytest.mark.full
def test_undeclared_file_is_not_read(cloud: Cloud) -> None:
    content = onnx_models.with_weights(onnx_models.external("weights.bin")).SerializeToString()
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="models/m/1/source/weights.bin", Body=bytes(16))
    version = cloud.deploy("m", content)
    assert version.status is Status.FAILED
    assert "is at 'weights.bin', which was not uploaded with the model" in (version.status_reason or "")


@pytest.mark.full
def test_prepared_form_with_other_outputs_is_dropped(cloud: Cloud) -> None:
    model = onnx.load_from_string(networks.convolutions(blocks=2, channels=128))
    noise = onnx.helper.make_node("RandomNormalLike", ["y"], ["noise"])  # no two answers are alike
    model.graph.node.extend([noise, onnx.helper.make_node("Add", ["y", "noise"], ["noisy"])])
    model.graph.output[0].name = "noisy"
    version = cloud.deploy("m", model.SerializeToString())
    assert version.status is Status.READY
    assert [variant.files for variant in version.variants] == [()]


def test_repeated_event_changes_nothing(cloud: Cloud) -> None:
    first = cloud.deploy("m", onnx_models.linear())
    assert bootstrap.deployment(cloud.settings).deploy("m", 1) == first


@pytest.mark.full
def test_concurrent_events_have_one_outcome(cloud: Cloud) -> None:
    cloud.upload("m", onnx_models.linear())
    deployments = [bootstrap.deployment(cloud.settings) for _ in range(2)]
    came: list[object] = []
    threads = [threading.Thread(target=lambda one=one: came.append(one.deploy("m", 1))) for one in deployments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert came == [bootstrap.registry(cloud.settings).versions.get("m", 1)[0]] * 2


@pytest.mark.full
def test_contended_model_is_deployed_by_the_next_event(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other changes of the model keep coming first when the version would become READY."""

    class Late(Deployment):
        def _checked(self, version: ModelVersion) -> ModelVersion:
            found = super()._checked(version)
            monkeypatch.setattr(ledger, "PATIENCE_SECONDS", 0)
            return found

    number, made = cloud.upload("m", onnx_models.linear()).number, bootstrap.deployment(cloud.settings)
    with pytest.raises(Contended):
        Late(made._registry, made._reader, made._bucket, made._means).deploy("m", number)
    monkeypatch.undo()
    assert bootstrap.registry(cloud.settings).versions.get("m", number)[0].status is Status.VALIDATING
    assert made.deploy("m", number).status is Status.READY


@pytest.mark.full
def test_version_purged_while_it_is_deployed_leaves_no_objects(cloud: Cloud) -> None:
    registry, bucket = bootstrap.registry(cloud.settings), bootstrap.bucket(cloud.settings)

    class Purged(Deployment):
        def _prepared(self, version: ModelVersion, found: Inspection, folder: Path) -> Variant:
            assert found.prepared is not None
            registry.versions.delete("m", 1, "tester")
            assert registry.purge(bucket.delete_prefix).version("m", 1, "tester", time.monotonic() + 60)
            return super()._prepared(version, found, folder)

    cloud.upload("m", networks.convolutions(blocks=2, channels=128))
    made = bootstrap.deployment(cloud.settings)
    with pytest.raises(NotFound):
        Purged(made._registry, made._reader, made._bucket, made._means).deploy("m", 1)
    assert not cloud.s3.list_object_versions(Bucket=cloud.settings.bucket, Prefix="models/m/").get("Versions")


def test_event_of_unknown_version(cloud: Cloud) -> None:
    with pytest.raises(NotFound):
        bootstrap.deployment(cloud.settings).deploy("m", 9)


def test_incomplete_upload_names_each_file(cloud: Cloud) -> None:
    registry, bucket = bootstrap.registry(cloud.settings), bootstrap.bucket(cloud.settings)
    files = [ModelFile("model.onnx", 5, "0" * 64), ModelFile("weights.bin", 6, "1" * 64)]
    version = registry.versions.create("m", files, "", {}, "tester")
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="models/m/1/source/model.onnx", Body=b"1234")
    with pytest.raises(UploadIncomplete, match=r"model\.onnx has 4 bytes, declared were 5; weights.bin is not there"):
        uploads.complete(bucket, version)
    assert bucket.stored("models/m/1/source/manifest.json") is None


def test_complete_joins_multipart_upload(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    import httpx

    from maas.aws import s3

    monkeypatch.setattr(s3, "PART_BYTES", 5 * 1024 * 1024)  # the least that S3 takes
    monkeypatch.setattr(uploads, "PART_BYTES", 5 * 1024 * 1024)
    content = bytes(range(256)) * 4096 * 11  # 11 MB
    registry, bucket = bootstrap.registry(cloud.settings), bootstrap.bucket(cloud.settings)
    file = ModelFile("model.onnx", len(content), hashlib.sha256(content).hexdigest())
    version = registry.versions.create("m", [file], "", {}, "tester")
    parts = uploads.presign(bucket, version)["model.onnx"]
    assert [part.size_bytes for part in parts] == [5 << 20, 5 << 20, len(content) - (10 << 20)]
    for part in parts[:-1]:
        httpx.put(part.url, content=content[part.offset : part.offset + part.size_bytes], timeout=60).raise_for_status()
    with pytest.raises(UploadIncomplete, match=r"model\.onnx is not there"):
        uploads.complete(bucket, version)
    httpx.put(parts[-1].url, content=content[parts[-1].offset :], timeout=60).raise_for_status()
    uploads.complete(bucket, version)
    assert (
        cloud.s3.get_object(Bucket=cloud.settings.bucket, Key="models/m/1/source/model.onnx")["Body"].read() == content
    )
