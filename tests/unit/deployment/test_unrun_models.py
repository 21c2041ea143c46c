"""Deployment of models that take only certain inputs: with an example, with golden vectors, or without having run."""

import io
import json
from typing import Any

import numpy as np
import pytest

from maas import bootstrap
from maas.records import Status
from support import networks
from support.aws.engine import Cloud
from support.onnx_models import parsed

ODD = parsed("""(int64[n] x) => (float y) {
    least = Constant <value_ints: ints = [12345]> () at = Sub (x, least)
    table = Constant <value_floats: floats = [7.0]> () y = Gather (table, at)
}""")  # takes 12345 alone
PAD = parsed("""(float[batch, samples] x) => (float y) {
    pads = Constant <value_ints: ints = [0, 64, 0, 64]> () y = Pad <mode: string = "reflect"> (x, pads)
}""")


@pytest.fixture(autouse=True)
def model(cloud: Cloud) -> None:
    cloud.create_model("m")


def npz(**arrays: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def vector(x: list[int], y: list[float]) -> bytes:
    inputs = [{"name": "x", "datatype": "INT64", "shape": [len(x)], "data": x}]
    outputs = [{"name": "y", "datatype": "FP32", "shape": [len(y)], "data": y}]
    return json.dumps({"request": {"inputs": inputs}, "response": {"outputs": outputs}}).encode()


def answer(cloud: Cloud, x: list[int]) -> dict[str, Any]:
    body = {"inputs": [{"name": "x", "datatype": "INT64", "shape": [len(x)], "data": x}]}
    response: dict[str, Any] = json.loads(
        bootstrap.dataplane(cloud.settings).infer("m", "1", json.dumps(body).encode()).body
    )
    return response


@pytest.mark.full
def test_pad_needs_no_hint(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": PAD})
    assert version.status is Status.READY
    assert version.profile
    assert version.profile["shapes"]["x"][1] > 64
    assert version.profile["shapes_from"] == "signature"
    assert version.warnings == ()


def test_failed_version_names_the_two_ways(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": ODD})
    assert version.status is Status.FAILED
    reason = version.status_reason or ""
    assert "generated inputs runs, with variable dimensions of 1 to" in reason
    assert "out of data bounds" in reason
    assert "example.npz or example.json (--example FILE)" in reason
    assert "smoke_run optional (--smoke-run optional)" in reason


def test_example_makes_it_ready(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": ODD, "example.json": b'{"x": [12345, 12345, 12345]}'})
    assert (version.status, version.status_reason) == (Status.READY, None)
    assert version.profile
    assert (version.profile["shapes"], version.profile["shapes_from"]) == ({"x": [3]}, "example")
    assert version.profile["run_ms_batch_32"] > 0
    assert [file.name for file in version.served_files] == ["model.onnx"]
    assert answer(cloud, [12345])["outputs"][0]["data"] == [7.0]


@pytest.mark.full
def test_example_that_does_not_run_fails_the_version(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": ODD, "example.npz": npz(x=np.array([5]))}, smoke_run="optional")
    assert version.status is Status.FAILED
    assert (version.status_reason or "").startswith("example.npz: onnxruntime cannot run these inputs")


@pytest.mark.full
def test_golden_vector_makes_it_ready(cloud: Cloud) -> None:
    files = {"model.onnx": ODD, "golden/one.json": vector([12345, 12345], [7.0, 7.0])}
    version = cloud.deploy("m", files)
    assert version.status is Status.READY
    assert version.profile
    assert (version.profile["shapes"], version.profile["shapes_from"]) == ({"x": [2]}, "golden")


@pytest.mark.full
def test_profile_is_of_the_example_rather_than_of_the_vector(cloud: Cloud) -> None:
    golden = {"golden/one.json": vector([12345], [7.0])}
    version = cloud.deploy("m", {"model.onnx": ODD, "example.json": b"[12345, 12345]"} | golden)
    assert version.profile
    assert (version.profile["shapes"], version.profile["shapes_from"]) == ({"x": [2]}, "example")
    assert version.profile["golden_vectors"] == 1


@pytest.mark.full
def test_optional_smoke_run_is_ready_with_a_warning(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": ODD}, smoke_run="optional")
    assert (version.status, version.profile) == (Status.READY, None)
    (warning,) = version.warnings
    assert warning.startswith("never run, so its outputs and measurements are unknown: none of ")
    assert "out of data bounds" in warning
    assert answer(cloud, [12345])["outputs"][0]["data"] == [7.0]


@pytest.mark.full
def test_optional_smoke_run_of_a_model_that_runs(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": PAD}, smoke_run="optional")
    assert version.profile
    assert version.warnings == ()


@pytest.mark.full
def test_model_that_never_ran_is_not_quantised(cloud: Cloud) -> None:
    quantize = {"scheme": "dynamic-int8", "tolerance": 0.5}
    version = cloud.deploy("m", {"model.onnx": ODD}, smoke_run="optional", quantize=quantize)
    assert version.quantized
    assert "the model never ran" in (version.quantized.reason or "")


@pytest.mark.full
def test_quantised_form_is_measured_on_the_example(cloud: Cloud) -> None:
    content = networks.dense(8)
    x = np.random.default_rng(1).random((3, 64)).astype(np.float32)
    quantize = {"scheme": "dynamic-int8", "tolerance": 0.5}
    version = cloud.deploy("m", {"model.onnx": content, "example.npz": npz(x=x)}, quantize=quantize)
    assert version.profile
    assert version.profile["shapes"] == {"x": [3, 64]}
    assert version.quantized
    assert version.quantized.files, version.quantized.reason


LOWER = """(string[n] x) => (string y) {{
    y = StringNormalizer <case_change_action: string = "LOWER", locale: string = "{0}"> (x)
}}"""


@pytest.mark.full
def test_locale_of_a_default_tfidf(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": parsed(LOWER.format("en_US.UTF-8"))})
    assert (version.status, version.status_reason) == (Status.READY, None)


def test_missing_locale_names_the_option_of_the_exporter(cloud: Cloud) -> None:
    version = cloud.deploy("m", {"model.onnx": parsed(LOWER.format("xx_XX.UTF-8"))}, smoke_run="optional")
    assert version.status is Status.FAILED
    assert version.status_reason == (
        "the model's StringNormalizer asks for the locale 'xx_XX.UTF-8', which is not there: export it with the locale "
        "C.UTF-8 (skl2onnx: options={TfidfVectorizer: {'locale': 'C.UTF-8'}})"
    )


@pytest.mark.full
def test_names_beyond_the_registry_fail_the_version(cloud: Cloud) -> None:
    name = "n" * 500_000
    version = cloud.deploy("m", {"model.onnx": parsed(f"(float[2] x) => (float {name}) {{ {name} = Relu (x) }}")})
    assert version.status is Status.FAILED
    assert "(DynamoDB stores 400 KB an item): it has 2 inputs and outputs with 500,001 bytes" in (
        version.status_reason or ""
    )
    assert "300,000" in (version.status_reason or "")


@pytest.mark.full
def test_reason_with_long_names_is_shortened(cloud: Cloud) -> None:
    name = "n" * 500_000
    version = cloud.deploy("m", {"model.onnx": parsed(f"(uint4[2] {name}) => (uint4 y) {{ y = Identity ({name}) }}")})
    assert version.status is Status.FAILED
    assert len(version.status_reason or "") < 5000
