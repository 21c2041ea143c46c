"""An upload becomes READY or FAILED, as a client sees it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import onnxruntime as ort
import pytest

from maas_client import Conflict, DeploymentFailed, InvalidInput, MaasClient, NotFound
from support import networks, onnx_models
from support.system import Bucket

Write = Callable[[bytes], Path]


def infer(http: httpx.Client, model: str, version: int) -> httpx.Response:
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    return http.post(f"/v2/models/{model}/versions/{version}/infer", json={"inputs": [tensor]})


def test_pushed_model_predicts(maas: MaasClient, write: Write) -> None:
    version = maas.push(
        write(onnx_models.linear()), "pushed", description="one layer", tags={"team": "a"}, alias="prod"
    )
    assert (version.version, version.status, version.aliases) == (1, "READY", ("prod",))
    assert [(one.name, one.datatype, one.shape) for one in version.inputs] == [("x", "FP32", (-1, 3))]
    assert set(version.profile) >= {"load_ms", "run_ms", "peak_memory_bytes"}
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for reference in (None, 1, "prod"):
        assert np.array_equal(maas.infer("pushed", {"x": x}, reference)["y"], x @ np.ones((3, 2), np.float32))


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("truncated", "not a readable ONNX file"),
        ("text", "not a readable ONNX file"),
        ("opset", "[Oo]pset 99"),
    ],
)
def test_broken_file_fails_with_reason_and_is_not_served(
    maas: MaasClient, http: httpx.Client, write: Write, broken: str, reason: str
) -> None:
    whole = onnx_models.linear()
    content = {"truncated": whole[:-20], "text": b"hello, world", "opset": onnx_models.linear(opset=99)}[broken]
    maas.models.create(f"broken-{broken}")
    with pytest.raises(DeploymentFailed, match=reason):
        maas.push(write(content), f"broken-{broken}")
    assert maas.versions.get(f"broken-{broken}", 1).status == "FAILED"
    for answer in (
        infer(http, f"broken-{broken}", 1),
        http.post(f"/v2/models/broken-{broken}/infer", json={"inputs": []}),
    ):
        assert (answer.status_code, list(answer.json())) == (409, ["error"])
    with pytest.raises(Conflict, match="FAILED"):
        maas.aliases.set(f"broken-{broken}", "prod", 1)


@pytest.mark.full
def test_refused_push_leaves_no_empty_model(maas: MaasClient, write: Write) -> None:
    for _ in range(2):
        with pytest.raises(DeploymentFailed):
            maas.push(write(b"hello, world"), "refused")
        assert "refused" not in [model.name for model in maas.models.list()]
    kinds = [entry.kind for entry in maas.models.history("refused")]
    assert kinds.count("version.failed") == 2
    assert maas.push(write(onnx_models.linear()), "refused").version == 3


def test_wrong_digest_fails_and_is_not_served(maas: MaasClient, http: httpx.Client) -> None:
    content = onnx_models.linear()
    maas.models.create("wrong-digest")
    declared = {"name": "model.onnx", "size_bytes": len(content), "sha256": hashlib.sha256(b"other").hexdigest()}
    created = http.post("/api/v1/models/wrong-digest/versions", json={"files": [declared]}).json()
    part = created["uploads"][0]["parts"][0]
    # With the checksum header S3 itself refuses these bytes. Without it, deployment has to find the mismatch.
    httpx.put(part["url"], content=content, headers={}, timeout=60)
    completed = http.post("/api/v1/models/wrong-digest/versions/1/complete")
    if completed.status_code == 202:
        with pytest.raises(DeploymentFailed, match="SHA-256"):
            maas.versions.wait("wrong-digest", 1)
    assert infer(http, "wrong-digest", 1).status_code == 409


@pytest.mark.full
def test_incomplete_upload_is_not_served(maas: MaasClient, http: httpx.Client, write: Write) -> None:
    content = onnx_models.linear()
    maas.models.create("abandoned")
    declared = {"name": "model.onnx", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    created = http.post("/api/v1/models/abandoned/versions", json={"files": [declared]}).json()
    too_early = http.post("/api/v1/models/abandoned/versions/1/complete")
    assert (too_early.status_code, too_early.json()["field"]) == (409, "files")
    part = created["uploads"][0]["parts"][0]
    httpx.put(part["url"], content=content, headers=part["headers"], timeout=60).raise_for_status()

    assert maas.versions.get("abandoned", 1).status == "PENDING_UPLOAD"
    assert infer(http, "abandoned", 1).status_code == 409
    assert http.get("/v2/models/abandoned/ready").status_code == 409

    # Another client can finish the upload, or push again.
    maas.versions.complete("abandoned", 1)
    assert maas.versions.wait("abandoned", 1).status == "READY"
    assert infer(http, "abandoned", 1).status_code == 200


@pytest.mark.full
def test_complete_is_idempotent(maas: MaasClient, http: httpx.Client, write: Write) -> None:
    first = maas.push(write(onnx_models.linear()), "twice")
    again = maas.versions.complete("twice", 1)
    assert again == first
    assert maas.versions.get("twice", 1) == first


def test_external_data(maas: MaasClient, tmp_path: Path) -> None:
    import onnx

    model = onnx.load_from_string(onnx_models.linear(2.0))
    onnx.save_model(
        model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    version = maas.push(tmp_path, "external")
    assert sorted(file.name for file in version.files) == ["model.onnx", "weights.bin"]
    answer = maas.infer("external", {"x": np.ones((1, 3), np.float32)})
    assert answer["y"].tolist() == [[6.0, 6.0]]


def test_unknown_model_is_404(maas: MaasClient, http: httpx.Client) -> None:
    with pytest.raises(NotFound, match="there is no model 'absent'"):
        maas.models.get("absent")
    answer = infer(http, "absent", 1)
    assert (answer.status_code, answer.json()) == (404, {"error": "there is no model 'absent'"})


def test_test_vector_mismatch_fails_version(maas: MaasClient, write: Write, tmp_path: Path) -> None:
    golden = tmp_path / "vectors"
    golden.mkdir()
    x = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    y = {"name": "y", "shape": [1, 2], "datatype": "FP32", "data": [6, 6.01]}
    vector = {"request": {"inputs": [x]}, "response": {"outputs": [y]}}
    (golden / "sums.json").write_text(json.dumps(vector))
    model = write(onnx_models.linear())
    with pytest.raises(DeploymentFailed, match=r"differs most at \[0, 1\]: got 6.0, expected 6.01"):
        maas.push(model, "golden", golden=golden)
    ready = maas.push(model, "golden", golden=golden, tolerance={"rtol": 0.01})
    assert ready.profile["golden_vectors"] == 1
    assert [file.name for file in ready.files] == ["model.onnx", "golden/sums.json"]
    with pytest.raises(InvalidInput, match="holds no test vectors"):
        maas.push(model, "golden", golden=tmp_path / "absent")


@pytest.mark.full
def test_prepared_form_is_served(maas: MaasClient, write: Write) -> None:
    content = networks.convolutions(blocks=2, channels=128)
    ready = maas.push(write(content), "prepared")
    assert ready.profile["recommended_memory_mb"] >= 512
    assert ready.profile["usd_per_million_requests"] > 0.2
    assert ready.profile["run_ms_batch_32"] > 0
    (variant,) = ready.variants
    assert variant["load_ms"] < ready.profile["load_ms"]
    x = np.random.default_rng(0).random((3, 3, 64, 64)).astype(np.float32)
    expected = ort.InferenceSession(write(content)).run(None, {"x": x})[0]
    np.testing.assert_allclose(maas.infer("prepared", {"x": x})["y"], expected, rtol=1e-4, atol=1e-5)


def test_drop_becomes_version(maas: MaasClient, bucket: Bucket) -> None:
    content = onnx_models.with_weights(onnx_models.external("weights.bin")).SerializeToString()
    bucket.put("inbox/dropped/folder/sum.onnx", content)
    bucket.put("inbox/dropped/folder/weights.bin", np.arange(4, dtype=np.float32).tobytes())
    result = bucket.wait_for("inbox/dropped/folder/sum.onnx.result.json", lambda text: b"READY" in text)
    assert json.loads(result) == {"model": "dropped", "version": 1, "status": "READY", "reason": None}
    assert maas.infer("dropped", {"x": np.zeros(4, np.float32)})["y"].tolist() == [0, 1, 2, 3]
    assert maas.models.history("dropped", kind="version.created")[0].actor == "inbox"


@pytest.mark.full
def test_model_of_certain_values(maas: MaasClient, write: Write, tmp_path: Path) -> None:
    model = write(
        onnx_models.parsed("""(int64[n] x) => (float y) {
            least = Constant <value_ints: ints = [12345]> () at = Sub (x, least)
            table = Constant <value_floats: floats = [7.0]> () y = Gather (table, at)
        }""")
    )
    with pytest.raises(DeploymentFailed, match=r"none of [\d,]+ generated inputs runs.*--example FILE.*--smoke-run"):
        maas.push(model, "certain")
    shown = maas.push(model, "certain", smoke_run="optional")
    assert (shown.status, shown.profile) == ("READY", {})
    assert shown.warnings[0].startswith("never run")
    measured = maas.push(model, "certain", example={"x": np.array([12345, 12345])})
    assert (measured.profile["shapes"], measured.profile["shapes_from"], measured.warnings) == (
        {"x": [2]},
        "example",
        (),
    )
    assert maas.infer("certain", {"x": np.array([12345])}, measured.version)["y"].tolist() == [7.0]
