"""Deferred inference: `Prefer: respond-async`, and requests beyond the payload limit."""

import hashlib
import json
import time
from typing import Any

import httpx
import numpy as np
import pytest

from maas_client import MaasClient, TooLarge
from support import onnx_models
from support.system import wait_for_job

LATER = {"prefer": "respond-async"}


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    path.write_bytes(onnx_models.linear(1.0))
    maas.push(path, "later", alias="prod")


def submit(http: httpx.Client, content: bytes, headers: dict[str, str] | None = None, path: str = "later") -> Any:
    answer = http.post(f"/v2/models/{path}/infer", content=content, headers=LATER | (headers or {}))
    assert answer.status_code == 202, answer.text
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json()['id']}"
    return answer.json()["id"]


def result(http: httpx.Client, job_id: str) -> tuple[bytes, int | None]:
    found = http.get(f"/api/v1/jobs/{job_id}/results").json()
    (one,) = found["results"]
    return httpx.get(one["url"], timeout=60).content, found["header_length"]


def request(**changes: Any) -> bytes:
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    return json.dumps({"id": "7", "inputs": [tensor]} | changes).encode()


def test_deferred_answer_equals_direct_answer(http: httpx.Client) -> None:
    job_id = submit(http, request(), path="later/versions/prod")
    assert wait_for_job(http, job_id)["status"] == "SUCCEEDED"
    body, header_length = result(http, job_id)
    assert header_length is None
    assert json.loads(body) == http.post("/v2/models/later/infer", content=request()).json()


@pytest.mark.full
def test_binary_request_and_answer(http: httpx.Client) -> None:
    head = json.dumps(
        {
            "inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "parameters": {"binary_data_size": 24}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    content = head + np.arange(6, dtype=np.float32).tobytes()
    headers = {"inference-header-content-length": str(len(head))}
    job_id = submit(http, content, headers)
    assert wait_for_job(http, job_id)["status"] == "SUCCEEDED"
    body, header_length = result(http, job_id)
    assert header_length
    assert np.frombuffer(body[header_length:], np.float32).tolist() == [3, 3, 12, 12]


def test_bad_request_fails_with_reason(http: httpx.Client) -> None:
    job_id = submit(http, request(inputs=[]))
    job = wait_for_job(http, job_id)
    refused = http.post("/v2/models/later/infer", content=request(inputs=[]))
    assert (job["status"], job["reason"]) == ("FAILED", refused.json()["error"])
    answer = http.get(f"/api/v1/jobs/{job_id}/results")
    assert (answer.status_code, "FAILED" in answer.json()["error"]) == (409, True)


def test_unknown_model_is_refused_at_once(http: httpx.Client) -> None:
    assert http.post("/v2/models/nobody/infer", content=request(), headers=LATER).status_code == 404
    bad = http.post("/v2/models/later/infer", content=request(), headers=LATER | {"maas-notify": "http://a.example/"})
    assert (bad.status_code, bad.json()["field"]) == (400, "notify")


def test_request_beyond_payload_limit(http: httpx.Client) -> None:
    rows = 700_000
    x = np.ones((rows, 3), np.float32)
    sized = {"name": "x", "shape": [rows, 3], "datatype": "FP32", "parameters": {"binary_data_size": x.nbytes}}
    head = json.dumps({"inputs": [sized], "parameters": {"binary_data_output": True}}).encode()
    content = head + x.tobytes()
    declared = {"name": "request", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    body = {"model": "later", "kind": "infer", "upload": declared, "header_length": len(head)}
    job = http.post("/api/v1/jobs", json=body).json()
    (part,) = job["upload"]
    assert httpx.put(part["url"], content=content, headers=part["headers"], timeout=60).status_code == 200
    assert wait_for_job(http, job["id"])["status"] == "SUCCEEDED"
    answer, header_length = result(http, job["id"])
    assert header_length
    y = np.frombuffer(answer[header_length:], np.float32)
    assert y.shape == (rows * 2,)
    assert (y == 3).all()


def test_results_of_unfinished_job(http: httpx.Client) -> None:
    declared = {"name": "request", "size_bytes": 10, "sha256": "0" * 64}
    job = http.post("/api/v1/jobs", json={"model": "later", "kind": "infer", "upload": declared}).json()
    time.sleep(0.5)
    answer = http.get(f"/api/v1/jobs/{job['id']}/results")
    assert (answer.status_code, "UPLOADING" in answer.json()["error"]) == (409, True)


def test_infer_scope_sees_own_jobs_only(http: httpx.Client, maas: MaasClient, url: str) -> None:
    keys = [maas.keys.create(name, [f"infer:{name}"]).key for name in ("later", "another")]
    mine, another = ({"authorization": f"Bearer {key}"} for key in keys)
    job_id = submit(http, request(), mine)
    assert wait_for_job(http, job_id)["status"] == "SUCCEEDED"
    for path in (f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}/results"):
        assert http.get(path, headers=mine).status_code == 200
        refused = http.get(path, headers=another)
        assert (refused.status_code, list(refused.json())) == (403, ["error"])
    batch = {"model": "later", "input": "batch/data/x.npy"}
    assert http.post("/api/v1/jobs", json=batch, headers=mine).status_code == 403
    assert http.get("/api/v1/jobs", headers=mine).status_code == 403
    large = {"model": "later", "kind": "infer", "upload": {"name": "r", "size_bytes": 1, "sha256": "0" * 64}}
    assert http.post("/api/v1/jobs", json=large, headers=mine).status_code == 201
    assert http.post("/api/v1/jobs", json=large, headers=another).status_code == 403


@pytest.mark.full
def test_what_a_call_does_not_take_goes_with_gzip_or_later(maas: MaasClient) -> None:
    ones = np.ones((3, 2), np.float32)
    rows = np.tile(np.arange(256, dtype=np.float32), 5100).reshape(-1, 3)  # 5.2 MB
    np.testing.assert_array_equal(maas.infer("later", {"x": rows}, "prod")["y"], rows @ ones)
    noise = np.random.default_rng(7).random((600_000, 3), np.float32)  # 7.2 MB
    with pytest.raises(TooLarge, match="infer_later"):
        maas.infer("later", {"x": noise}, "prod")
    answered = maas.infer("later", {"x": noise}, "prod", large="later", timeout_seconds=60)["y"]
    np.testing.assert_allclose(answered, noise @ ones, rtol=1e-6)
