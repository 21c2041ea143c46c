"""The form with int8 weights: kept if its outputs stay within the tolerance, served on request."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import maas
from maas import bootstrap
from maas.deployment.child import Limits
from maas.deployment.preparation import QuantizeJob, quantize
from maas.deployment.quantization import relative_difference
from maas.errors import InvalidRequest, ModelRejected
from maas.records import ModelVersion, Quantized, Status
from maas.serving.dataplane import DataPlane
from support import networks, onnx_models
from support.aws.engine import Cloud

SCHEME = "dynamic-int8"
DENSE = networks.dense(8)
GIGABYTE = 1 << 30
NONE = Quantized(SCHEME, 0)
X = np.random.default_rng(0).random((1, 64)).astype(np.float32)


def pushed(cloud: Cloud, content: bytes, tolerance: float | None, golden: bytes | None = None) -> ModelVersion:
    """As the API makes it, deployed."""
    files = {"model.onnx": content} | ({"golden/one.json": golden} if golden else {})
    options: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-3}
    if tolerance is not None:
        options["quantize"] = {"scheme": SCHEME, "tolerance": tolerance}
    return cloud.deploy("m", files, **options)


def asked(plane: DataPlane, variant: object = None, x: np.ndarray = X) -> dict[str, Any]:
    tensor = {"name": "x", "shape": x.shape, "datatype": "FP32", "data": x.ravel().tolist()}
    parameters = {} if variant is None else {"parameters": {"variant": variant}}
    answer: dict[str, Any] = json.loads(
        plane.infer("m", "1", json.dumps({"inputs": [tensor]} | parameters).encode()).body
    )
    return answer


@pytest.fixture(autouse=True)
def model(cloud: Cloud) -> None:
    cloud.create_model("m")


def test_form_within_tolerance_is_served(cloud: Cloud) -> None:
    version = pushed(cloud, DENSE, tolerance=0.5)
    found = version.quantized
    assert version.status is Status.READY
    assert found and found.reason is None
    assert found.difference and found.size_bytes and found.load_ms and found.run_ms
    assert 0 < found.difference <= 0.5
    assert found.size_bytes == sum(file.size_bytes for file in found.files) < 0.3 * len(DENSE)

    plane = bootstrap.dataplane(cloud.settings)
    plain, quantized = asked(plane), asked(plane, SCHEME)
    assert "parameters" not in plain
    assert quantized["parameters"] == {"variant": SCHEME}
    exact, rounded = (np.array(one["outputs"][0]["data"]) for one in (plain, quantized))
    assert 0 < np.abs(exact - rounded).max() <= found.difference * np.abs(exact).max() * 1.5
    assert asked(plane)["outputs"] == plain["outputs"]


@pytest.mark.full
def test_form_beyond_tolerance_is_dropped_with_its_measurements(cloud: Cloud) -> None:
    version = pushed(cloud, DENSE, tolerance=1e-6)
    found = version.quantized
    assert version.status is Status.READY
    assert found and found.files == ()
    assert found.difference and found.size_bytes and found.run_ms
    assert found.reason == f"its outputs differ by {found.difference:.3g} of the largest value, allowed are 1e-06"
    listed = cloud.s3.list_objects_v2(Bucket=cloud.settings.bucket, Prefix="models/m/1/prepared/")
    assert not [one["Key"] for one in listed.get("Contents", []) if SCHEME in one["Key"]]
    with pytest.raises(
        InvalidRequest, match=r"expected no variant: 'dynamic-int8' of version 1 .*: its outputs differ"
    ):
        asked(bootstrap.dataplane(cloud.settings), SCHEME)


@pytest.mark.full
def test_model_without_matrices_is_not_quantised(cloud: Cloud) -> None:
    version = pushed(cloud, networks.doubled(["n", 64]), tolerance=0.5)
    assert version.status is Status.READY
    assert version.quantized
    assert "it is not smaller" in (version.quantized.reason or "")
    assert "hardly any matrices" in (version.quantized.reason or "")


@pytest.mark.full
def test_form_is_compared_on_test_vectors(cloud: Cloud) -> None:
    assert (pushed(cloud, DENSE, tolerance=0.03).quantized or NONE).files
    x = np.full((1, 64), 0.4, np.float32)
    x[0, 0] = 100  # beside this, int8 has no room for the others
    outputs = asked(bootstrap.dataplane(cloud.settings), x=x)["outputs"]
    tensor = {"name": "x", "shape": [1, 64], "datatype": "FP32", "data": x.ravel().tolist()}
    vector = {"request": {"inputs": [tensor]}, "response": {"outputs": outputs}}
    version = pushed(cloud, DENSE, tolerance=0.03, golden=json.dumps(vector).encode())
    assert version.profile and version.profile["golden_vectors"] == 1
    assert version.quantized and not version.quantized.files
    assert "of the largest value, allowed are 0.03" in (version.quantized.reason or "")


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (
            SCHEME,
            r"parameters.variant: got 'dynamic-int8', expected no variant: version 1 of model 'm' was pushed without",
        ),
        ("fast", r"parameters.variant: got 'fast', expected no variant"),
        (8, r"parameters.variant: got a number, expected a string"),
    ],
)
def test_unknown_variant_is_refused(cloud: Cloud, variant: object, reason: str) -> None:
    pushed(cloud, DENSE, tolerance=None)
    with pytest.raises(InvalidRequest, match=reason) as refused:
        asked(bootstrap.dataplane(cloud.settings), variant)
    assert refused.value.field == "parameters.variant"


@pytest.mark.full
def test_unknown_variant_names_the_existing_one(cloud: Cloud) -> None:
    pushed(cloud, DENSE, tolerance=0.5)
    with pytest.raises(InvalidRequest, match=r"got 'int4', expected 'dynamic-int8' or no variant"):
        asked(bootstrap.dataplane(cloud.settings), "int4")


@pytest.mark.full
def test_quantisation_limits(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "to").mkdir()
    path = tmp_path / "source" / "model.onnx"
    path.write_bytes(networks.dense(40))
    job = QuantizeJob(str(path), 1, str(tmp_path / "to"), SCHEME, 1.0)
    with pytest.raises(ModelRejected, match=r"not enough memory to quantise|bad_alloc"):
        quantize(job, Limits(150 << 20))
    with pytest.raises(ModelRejected, match="took over 0 s"):
        quantize(job, Limits(GIGABYTE, 0.2))
    assert [file.name for file in (tmp_path / "source").iterdir()] == ["model.onnx"]


@pytest.mark.full
def test_version_is_ready_if_quantisation_crashes(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "shadow" / "maas"  # as ours is, but for this one module
    folder, ours = package / "deployment", Path(maas.__file__).parent
    folder.mkdir(parents=True)
    (package / "__init__.py").write_text(f"__path__.append({str(ours)!r})\n")
    (folder / "__init__.py").write_text(f"__path__.append({str(ours / 'deployment')!r})\n")
    (folder / "quantization.py").write_text("import os\nos.kill(os.getpid(), 11)\n")
    monkeypatch.syspath_prepend(package.parent)
    version = pushed(cloud, DENSE, tolerance=0.5)
    assert version.status is Status.READY, version.status_reason
    assert version.quantized and not version.quantized.files
    assert "crashed onnxruntime" in (version.quantized.reason or "")


@pytest.mark.full(keep=3)
@pytest.mark.parametrize(
    ("came", "wanted", "difference"),
    [
        ([1.0, 2.2], [1.0, 2.0], 0.1),
        ([0.0], [0.0], 0.0),
        ([1e-9], [0.0], math.inf),
        ([math.nan, 1.0], [math.nan, 1.0], 0.0),
        ([math.nan, 1.0], [1.0, 1.0], math.inf),
        ([math.inf, 1.0], [math.inf, 1.0], 0.0),
        ([1, 2, 3, 4], [1, 2, 3, 5], 0.25),
        (["a", "b"], ["a", "c"], 0.5),
        ([[1.0]], [1.0], math.inf),
        ([], [], 0.0),
    ],
)
def test_relative_difference(came: list[Any], wanted: list[Any], difference: float) -> None:
    arrays = [np.array(one, object if "a" in one else None) for one in (came, wanted)]
    assert relative_difference(*arrays) == pytest.approx(difference)


@pytest.mark.full
def test_small_model_is_not_quantised(cloud: Cloud) -> None:
    version = pushed(cloud, onnx_models.linear(), tolerance=0.5)
    assert version.status is Status.READY
    assert version.quantized and version.quantized.reason


@pytest.mark.full
@pytest.mark.parametrize(
    "nodes",
    [
        "v = Identity (w) y = MatMul (x, v)",
        "v = Identity (w) u = Identity (v) y = MatMul (x, u)",
        "v = Identity (w) y = Gemm (x, v)",
        "v = Transpose <perm = [1, 0]> (w) y = MatMul (x, v)",
        "h = Cast <to = 10> (w) v = Cast <to = 1> (h) y = MatMul (x, v)",
        "v = Identity (w) a = MatMul (x, w) t = Transpose <perm = [1, 0]> (v) y = MatMul (a, t)",
    ],
)
def test_weights_behind_other_nodes_are_quantised(cloud: Cloud, nodes: str) -> None:
    weights = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    graph = onnx.load_from_string(onnx_models.parsed(f"(float[n, 256] x) => (float y) {{ {nodes} }}"))
    graph.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    found = pushed(cloud, graph.SerializeToString(), tolerance=0.1).quantized
    assert found and found.files, found
    assert found.size_bytes and found.size_bytes < 0.6 * weights.nbytes
