"""An environment stores its prepared form for others: once, completely, for exactly these files."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from maas import bootstrap
from maas.aws.s3_reader import S3Reader
from maas.aws.s3_writer import S3Writer
from maas.deployment.artifacts import prepared_key
from maas.deployment.child import Limits
from maas.deployment.preparation import Inspection, Job, inspect
from maas.deployment.variants import own_key
from maas.deployment.write_back import MANIFEST, WriteBack
from maas.records import ModelVersion, Variant
from support import networks
from support.aws.engine import Cloud
from support.onnx_models import parsed

KIND = "another-cpu"
X = np.ones((1, 64), np.float32)


@pytest.fixture
def version(cloud: Cloud) -> ModelVersion:
    """As it was deployed by an environment of another kind."""
    cloud.create_model("m")
    return replace(cloud.deploy("m", networks.dense(8)), variants=())


@pytest.fixture
def source(version: ModelVersion, tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(networks.dense(8))
    return folder / "model.onnx"


def prepare(path: str, to: str, shapes: dict[str, list[int]] | None) -> Inspection:
    return inspect(Job(path, 1, 1 << 30, to, shapes=shapes), Limits(1 << 30))


@pytest.fixture
def write_back(cloud: Cloud, tmp_path: Path) -> WriteBack:
    place = ("us-east-1", cloud.settings.endpoint_url, cloud.settings.bucket)
    return WriteBack(S3Reader(*place), S3Writer(*place), lambda: KIND, tmp_path, prepare)


@pytest.mark.full
def test_other_environments_find_the_form(
    write_back: WriteBack, version: ModelVersion, source: Path, cloud: Cloud, tmp_path: Path
) -> None:
    assert write_back.find(version) is None
    write_back.start(version, source).join()
    found = write_back.find(version)
    assert found
    assert found.key == KIND
    keys = [prepared_key("m", 1, KIND, file.name) for file in found.files]
    assert [cloud.s3.head_object(Bucket=cloud.settings.bucket, Key=key)["ContentLength"] for key in keys] == [
        file.size_bytes for file in found.files
    ]
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.full
def test_version_that_never_ran_gets_no_form(write_back: WriteBack, version: ModelVersion) -> None:
    assert write_back.find(replace(version, profile=None)) == Variant(KIND)


@pytest.mark.full
def test_form_of_a_model_that_takes_certain_shapes(cloud: Cloud, write_back: WriteBack, tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((64, 64, 1, 81)).astype(np.float32)
    graph = onnx.load_from_string(parsed("(float[n, 64, 1, s] x) => (float y) { y = Conv (x, w) }"))
    graph.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    cloud.create_model("conv")
    version = replace(cloud.deploy("conv", graph.SerializeToString()), variants=())
    (tmp_path / "conv").mkdir()
    path = tmp_path / "conv" / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    assert write_back.find(version) is None
    write_back.start(version, path).join()
    assert write_back.find(version)


@pytest.mark.full
def test_first_form_stays(write_back: WriteBack, version: ModelVersion, source: Path, cloud: Cloud) -> None:
    write_back.start(version, source).join()
    first = write_back.find(version)
    write_back.start(version, source).join()
    assert write_back.find(version) == first


@pytest.mark.full
def test_manifest_of_other_files_is_ignored(write_back: WriteBack, version: ModelVersion, cloud: Cloud) -> None:
    body = json.dumps({"source": "0" * 64, "variant": {"key": KIND, "files": []}})
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=prepared_key("m", 1, KIND, MANIFEST), Body=body)
    assert write_back.find(version) is None


@pytest.mark.full
def test_form_of_the_deployment_is_loaded_unchanged(cloud: Cloud, tmp_path: Path) -> None:
    cloud.create_model("m")
    ready = cloud.deploy("m", networks.convolutions(blocks=2, channels=128))
    stored, _ = bootstrap.registry(cloud.settings).versions.get("m", 1)
    assert stored == ready
    (variant,) = stored.variants
    assert variant.key == own_key()
    assert variant.files

    nowhere = ("us-east-1", "http://127.0.0.1:1", "none")
    asks_nobody = WriteBack(S3Reader(*nowhere), S3Writer(*nowhere), own_key, tmp_path, prepare)
    assert asks_nobody.find(stored) == variant

    settings = replace(cloud.settings, write_back=1, tmp_dir=str(tmp_path / "inference"))
    x = {"name": "x", "shape": [1, 3, 64, 64], "datatype": "FP32", "data": [0.5] * 3 * 64 * 64}
    before = {*threading.enumerate()}  # an earlier test's may not have ended yet
    bootstrap.dataplane(settings).infer("m", None, json.dumps({"inputs": [x]}).encode())
    assert "write-back" not in [thread.name for thread in {*threading.enumerate()} - before]
    fetched = [file.relative_to(settings.tmp_dir) for file in Path(settings.tmp_dir).rglob("*") if file.is_file()]
    assert sorted(file.name for file in fetched) == sorted(file.name for file in variant.files)
    assert len({file.parent for file in fetched}) == 1


def test_inference_function_loads_and_writes_the_form(cloud: Cloud, version: ModelVersion) -> None:
    settings = replace(cloud.settings, write_back=1)
    body = json.dumps({"inputs": [{"name": "x", "shape": [1, 64], "datatype": "FP32", "data": X.ravel().tolist()}]})
    answers = [
        json.loads(bootstrap.dataplane(settings).infer("m", None, body.encode()).body)["outputs"] for _ in range(2)
    ]
    assert answers[0] == answers[1]
