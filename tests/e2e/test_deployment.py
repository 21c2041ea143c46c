"""From a file to READY or FAILED, as a client sees it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import onnx_models
import pytest

from maas_client import Conflict, DeploymentFailed, MaasClient, NotFound

Write = Callable[[bytes], Path]


def infer(http: httpx.Client, model: str, version: int) -> httpx.Response:
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    return http.post(f"/v2/models/{model}/versions/{version}/infer", json={"inputs": [tensor]})


def test_a_pushed_model_predicts(maas: MaasClient, write: Write) -> None:
    version = maas.push(
        write(onnx_models.linear()), "pushed", description="one layer", tags={"team": "a"}, alias="prod"
    )
    assert (version.version, version.status, version.aliases) == (1, "READY", ("prod",))
    assert [(one.name, one.datatype, one.shape) for one in version.inputs] == [("x", "FP32", (-1, 3))]
    assert set(version.profile) >= {"load_ms", "run_ms", "peak_memory_bytes"}
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for reference in (None, 1, "prod"):
        assert np.array_equal(maas.infer("pushed", {"x": x}, reference)["y"], x @ np.ones((3, 2), np.float32))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("truncated", "not a readable ONNX file"),
        ("text", "not a readable ONNX file"),
        ("opset", "[Oo]pset 99"),
    ],
)
def test_a_broken_file_fails_with_its_reason_and_is_never_served(
    maas: MaasClient, http: httpx.Client, write: Write, broken: str, reason: str
) -> None:
    whole = onnx_models.linear()
    content = {"truncated": whole[:-20], "text": b"hello, world", "opset": onnx_models.linear(opset=99)}[broken]
    with pytest.raises(DeploymentFailed, match=reason):
        maas.push(write(content), f"broken-{broken}")
    assert maas.version(f"broken-{broken}", 1).status == "FAILED"
    for answer in (
        infer(http, f"broken-{broken}", 1),
        http.post(f"/v2/models/broken-{broken}/infer", json={"inputs": []}),
    ):
        assert (answer.status_code, list(answer.json())) == (409, ["error"])
    with pytest.raises(Conflict, match="FAILED"):
        maas.set_alias(f"broken-{broken}", "prod", 1)


def test_a_wrong_digest_fails_and_is_never_served(maas: MaasClient, http: httpx.Client) -> None:
    content = onnx_models.linear()
    maas.create_model("wrong-digest")
    declared = {"name": "model.onnx", "size_bytes": len(content), "sha256": hashlib.sha256(b"other").hexdigest()}
    created = http.post("/api/v1/models/wrong-digest/versions", json={"files": [declared]}).json()
    part = created["uploads"][0]["parts"][0]
    # The header would make S3 itself refuse these bytes; a client that gets them in all the same is caught later.
    httpx.put(part["url"], content=content, headers={})
    completed = http.post("/api/v1/models/wrong-digest/versions/1/complete")
    if completed.status_code == 202:
        with pytest.raises(DeploymentFailed, match="SHA-256"):
            maas.wait_until_ready("wrong-digest", 1)
    assert infer(http, "wrong-digest", 1).status_code == 409


def test_a_client_that_dies_before_complete_leaves_nothing_live(
    maas: MaasClient, http: httpx.Client, write: Write
) -> None:
    content = onnx_models.linear()
    maas.create_model("abandoned")
    declared = {"name": "model.onnx", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    created = http.post("/api/v1/models/abandoned/versions", json={"files": [declared]}).json()
    too_early = http.post("/api/v1/models/abandoned/versions/1/complete")
    assert (too_early.status_code, too_early.json()["field"]) == (409, "files")
    part = created["uploads"][0]["parts"][0]
    httpx.put(part["url"], content=content, headers=part["headers"]).raise_for_status()

    assert maas.version("abandoned", 1).status == "PENDING_UPLOAD"
    assert infer(http, "abandoned", 1).status_code == 409
    assert http.get("/v2/models/abandoned/ready").status_code == 409

    # Whoever comes next can finish it, or push anew.
    maas.complete("abandoned", 1)
    assert maas.wait_until_ready("abandoned", 1).status == "READY"
    assert infer(http, "abandoned", 1).status_code == 200


def test_completing_twice_changes_nothing(maas: MaasClient, http: httpx.Client, write: Write) -> None:
    first = maas.push(write(onnx_models.linear()), "twice")
    again = maas.complete("twice", 1)
    assert again == first
    assert maas.version("twice", 1) == first


def test_external_data_comes_along(maas: MaasClient, tmp_path: Path) -> None:
    import onnx

    model = onnx.load_from_string(onnx_models.linear(2.0))
    onnx.save_model(
        model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    version = maas.push(tmp_path, "external")
    assert sorted(file.name for file in version.files) == ["model.onnx", "weights.bin"]
    answer = maas.infer("external", {"x": np.ones((1, 3), np.float32)})
    assert answer["y"].tolist() == [[6.0, 6.0]]


def test_an_absent_model_is_404(maas: MaasClient, http: httpx.Client) -> None:
    with pytest.raises(NotFound, match="there is no model 'absent'"):
        maas.model("absent")
    answer = infer(http, "absent", 1)
    assert (answer.status_code, answer.json()) == (404, {"error": "there is no model 'absent'"})
