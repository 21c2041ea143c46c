"""A model dropped into the bucket becomes one version once all its files are there."""

import json
from typing import Any

import pytest

from maas import bootstrap
from maas.deployment import inbox
from maas.errors import Contended
from maas.records import ModelVersion, Status
from maas.registry.state import ledger
from support import onnx_models
from support.aws.engine import Cloud
from support.onnx_models import external, with_weights

LINEAR = onnx_models.linear()
LARGE = with_weights(external("weights.bin")).SerializeToString()
DATA = bytes(16)


def drop(cloud: Cloud, key: str, content: bytes) -> ModelVersion | None:
    """`aws s3 cp`, and the event of it."""
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=f"inbox/{key}", Body=content)
    return bootstrap.inbox(cloud.settings).drop(f"inbox/{key}")


def result(cloud: Cloud, key: str) -> dict[str, Any]:
    return json.loads(cloud.s3.get_object(Bucket=cloud.settings.bucket, Key=f"inbox/{key}.result.json")["Body"].read())


def deployed(cloud: Cloud, model: str, number: int) -> ModelVersion:
    return bootstrap.deployment(cloud.settings).deploy(model, number)


def numbers(cloud: Cloud, model: str) -> list[int]:
    return [version.number for version in bootstrap.registry(cloud.settings).versions.page(model, 100)[0]]


def test_drop_creates_version_and_result(cloud: Cloud) -> None:
    version = drop(cloud, "digits/strong.onnx", LINEAR)
    assert version
    assert (version.number, version.description) == (1, "dropped as inbox/digits/strong.onnx")
    assert result(cloud, "digits/strong.onnx") == {"status": "VALIDATING", "version": 1}
    assert deployed(cloud, "digits", 1).status == Status.READY
    assert result(cloud, "digits/strong.onnx") == {"model": "digits", "version": 1, "status": "READY", "reason": None}
    entries = bootstrap.registry(cloud.settings).history.page("digits", 10)[0]
    assert [entry.actor for entry in entries if entry.kind == "version.created"] == ["inbox"]


@pytest.mark.full
def test_same_bytes_create_one_version(cloud: Cloud) -> None:
    for key in ("m/a.onnx", "m/a.onnx", "m/a.onnx"):
        drop(cloud, key, LINEAR)
    deployed(cloud, "m", 1)
    again = drop(cloud, "m/a.onnx", LINEAR)
    assert again
    assert again.status == Status.READY
    assert result(cloud, "m/a.onnx")["status"] == "READY"
    assert numbers(cloud, "m") == [1]
    drop(cloud, "m/a.onnx", onnx_models.linear(2.0))
    assert numbers(cloud, "m") == [2, 1]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("first_is_deployed", [True, False])
def test_same_bytes_under_another_name_are_one_version(cloud: Cloud, first_is_deployed: bool) -> None:
    drop(cloud, "m/a.onnx", LINEAR)
    if first_is_deployed:
        deployed(cloud, "m", 1)
    again = drop(cloud, "m/b.onnx", LINEAR)
    assert again and again.number == 1
    assert result(cloud, "m/b.onnx")["status"] == ("READY" if first_is_deployed else "VALIDATING")
    assert deployed(cloud, "m", 1).status == Status.READY
    assert numbers(cloud, "m") == [1]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("model_key", "data_key"),
    [("m/a.onnx", "m/weights.bin"), ("m/folder/a.onnx", "m/folder/weights.bin")],
)
def test_drop_waits_for_external_data(cloud: Cloud, model_key: str, data_key: str, order: tuple[int, int]) -> None:
    objects = [(model_key, LARGE), (data_key, DATA)]
    assert drop(cloud, *objects[order[0]]) is None
    if order[0] == 0:
        assert result(cloud, model_key) == {"status": "WAITING", "missing": ["weights.bin"]}
    version = drop(cloud, *objects[order[1]])
    assert version
    assert [file.name for file in version.files] == ["model.onnx", "weights.bin"]
    assert deployed(cloud, "m", 1).status == Status.READY


@pytest.mark.full
def test_external_data_in_folder_named_as_the_model(cloud: Cloud) -> None:
    large = with_weights(external("a/weights.bin")).SerializeToString()
    assert drop(cloud, "m/a.onnx", large) is None
    version = drop(cloud, "m/a/weights.bin", DATA)
    assert version
    assert [file.name for file in version.files] == ["model.onnx", "a/weights.bin"]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    "key",
    [
        "m/M.ONNX",
        "m/my model (1).onnx",
        "m/größe ☃.onnx",
        "m/a+b=100%.Onnx",
        f"m/{'n' * 300}.onnx",
        "m/my folder/x y.ONNX",
    ],
)
def test_model_file_of_any_name(cloud: Cloud, key: str) -> None:
    version = drop(cloud, key, LINEAR)
    assert version
    assert [file.name for file in version.files] == ["model.onnx"]
    assert deployed(cloud, "m", 1).status == Status.READY
    assert result(cloud, key)["status"] == "READY"


@pytest.mark.full
def test_external_data_with_a_dot_in_its_path(cloud: Cloud) -> None:
    assert drop(cloud, "m/a.onnx", with_weights(external("./w/./x.bin")).SerializeToString()) is None
    assert drop(cloud, "m/w/x.bin", DATA)
    assert deployed(cloud, "m", 1).status == Status.READY


@pytest.mark.full
@pytest.mark.parametrize("name", ["my model (1).onnx.data", "größe.bin", "a+b=100%/w#1.bin"])
def test_external_data_of_any_usual_name(cloud: Cloud, name: str) -> None:
    assert drop(cloud, "m/f/my model (1).onnx", with_weights(external(name)).SerializeToString()) is None
    assert drop(cloud, f"m/f/{name}", DATA)
    version = deployed(cloud, "m", 1)
    assert (version.status, version.status_reason) == (Status.READY, None)
    body = b'{"inputs": [{"name": "x", "shape": [4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}'
    assert b'"y"' in bootstrap.dataplane(cloud.settings).infer("m", "1", body).body


@pytest.mark.full
def test_external_data_in_folder_of_a_model_in_capitals(cloud: Cloud) -> None:
    large = with_weights(external("A/weights.bin")).SerializeToString()
    assert drop(cloud, "m/A.ONNX", large) is None
    assert drop(cloud, "m/A/weights.bin", DATA)


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("key", ["a.onnx", "m/f/g/a.onnx", "m/f/g/A.ONNX"])
def test_misplaced_model_has_a_result(cloud: Cloud, key: str) -> None:
    assert drop(cloud, key, LINEAR) is None
    assert result(cloud, key) == {
        "status": "REFUSED",
        "reason": f"got inbox/{key}, expected inbox/MODEL/NAME.onnx or inbox/MODEL/FOLDER/NAME.onnx",
    }
    assert bootstrap.registry(cloud.settings).models.page(10)[0] == []


@pytest.mark.full
def test_model_among_too_many_objects_has_a_result(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MAX_OBJECTS", 2)
    for name in "ab":
        cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=f"inbox/m/{name}", Body=b"x")
    assert drop(cloud, "m/z.onnx", LINEAR) is None
    assert "its folder holds 2 objects or more" in result(cloud, "m/z.onnx")["reason"]


@pytest.mark.full
def test_drop_with_an_example(cloud: Cloud) -> None:
    cloud.s3.put_object(
        Bucket=cloud.settings.bucket, Key="inbox/m/f/example.json", Body=b'{"x": [[1, 2, 3], [4, 5, 6]]}'
    )
    version = drop(cloud, "m/f/a.onnx", LINEAR)
    assert version
    profile = deployed(cloud, "m", 1).profile
    assert profile
    assert (profile["shapes"], profile["shapes_from"]) == ({"x": [2, 3]}, "example")


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("Not-A-Name/a.onnx", LINEAR, "model: got 'Not-A-Name'"),
        ("m/a.onnx", b"hello", "not a readable ONNX file"),
        (
            "m/a.onnx",
            with_weights(external("../x")).SerializeToString(),
            "outside of the model's folder",
        ),
        ("m/a.onnx", with_weights(external("a?b.bin")).SerializeToString(), "files.1.name: got 'a?b.bin'"),
    ],
)
def test_refused_drop_has_a_result(cloud: Cloud, key: str, content: bytes, reason: str) -> None:
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="inbox/m/a?b.bin", Body=DATA)
    assert drop(cloud, key, content) is None
    said = result(cloud, key)
    assert said["status"] == "REFUSED"
    assert reason in said["reason"]
    assert bootstrap.registry(cloud.settings).models.page(10)[0] == []


@pytest.mark.full
def test_contended_drop_is_repeated(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not refused: other changes of the model came first."""
    monkeypatch.setattr(ledger, "PATIENCE_SECONDS", 0)
    with pytest.raises(Contended):
        drop(cloud, "m/a.onnx", LINEAR)
    monkeypatch.undo()
    assert not cloud.s3.list_objects_v2(Bucket=cloud.settings.bucket, Prefix="inbox/m/a.onnx.result").get("Contents")
    assert drop(cloud, "m/a.onnx", LINEAR)


def test_drop_for_deleted_model_names_restore(cloud: Cloud) -> None:
    drop(cloud, "m/a.onnx", LINEAR)
    bootstrap.registry(cloud.settings).models.delete("m", "tester")
    assert drop(cloud, "m/b.onnx", onnx_models.linear(3.0)) is None
    assert "restore" in result(cloud, "m/b.onnx")["reason"]


@pytest.mark.full
def test_failed_drop_has_a_result(cloud: Cloud) -> None:
    drop(cloud, "m/a.onnx", onnx_models.never_runs())
    deployed(cloud, "m", 1)
    assert result(cloud, "m/a.onnx")["status"] == "FAILED"
    assert "smoke run failed" in result(cloud, "m/a.onnx")["reason"]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("key", ["m/a.onnx.result.json", "m/readme.txt", "readme.txt", "m/folder/", "a.onnx/"])
def test_other_objects_are_ignored(cloud: Cloud, key: str) -> None:
    assert drop(cloud, key, b"{}") is None
    assert cloud.s3.list_objects_v2(Bucket=cloud.settings.bucket)["KeyCount"] == 1
