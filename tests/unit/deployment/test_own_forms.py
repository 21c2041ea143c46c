"""Prepared and quantised forms are not walked: no stranger's byte can be one, and changed bytes are not loaded."""

import hashlib
from pathlib import Path

import pytest

from maas.aws.s3_reader import S3Reader
from maas.deployment.artifacts import LocalArtifacts, prepared_key, source_key
from maas.errors import ArtifactCorrupt, InvalidRequest
from maas.names import check_file_name
from maas.records import ModelFile, ModelVersion, Quantized, Status, Variant
from support.aws.engine import Cloud

FORM = b"a form that the system made"
FILES = (ModelFile("model.onnx", len(FORM), hashlib.sha256(FORM).hexdigest()),)
VERSION = ModelVersion("m", 1, Status.READY, (ModelFile("model.onnx", 1, "0" * 64),), "", "", 1)


@pytest.mark.parametrize(
    "name", ["../prepared/cpu/model.onnx", "/../prepared/x", "a/../../prepared/x", "..\\prepared\\x", ".", "..", "a//b"]
)
def test_no_upload_names_a_form(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_file_name(name, "files.0.name")
    assert source_key("m", 1, "prepared/cpu/model.onnx") != prepared_key("m", 1, "cpu", "model.onnx")
    assert not prepared_key("m", 1, "cpu", "model.onnx").startswith(source_key("m", 1, ""))


@pytest.mark.parametrize("form", [Variant("cpu", FILES), Quantized("cpu", 0.0, FILES)], ids=["prepared", "quantised"])
def test_changed_form_is_not_loaded(cloud: Cloud, tmp_path: Path, form: Variant | Quantized) -> None:
    reader = S3Reader("us-east-1", cloud.settings.endpoint_url, cloud.settings.bucket)
    key = prepared_key("m", 1, "cpu", "model.onnx")
    for content, is_refused in ((FORM[:-1] + b"x", True), (b"x" * len(FORM), True), (FORM, False)):
        cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=key, Body=content)
        files = LocalArtifacts(reader, tmp_path / "cache", 1 << 20)
        if is_refused:
            with pytest.raises(ArtifactCorrupt):
                files.model(VERSION, form)
            assert not [*(tmp_path / "cache").rglob("model.onnx")]
        else:
            assert files.model(VERSION, form).path.read_bytes() == FORM
