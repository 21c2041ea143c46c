"""Deferred inferences with both clients, over real HTTP."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import InvalidInput, JobFailed, JobTimedOut, ServerFailed, UploadFailed
from support.server.server import ContractServer as Server
from unit.client.conftest import ROWS

pytestmark = pytest.mark.usefixtures("times")


@pytest.mark.parametrize("binary", [True, False])
def test_deferred_answer(server: Server, maas: Any, binary: bool) -> None:
    job = maas.infer_later("times", {"x": ROWS}, "prod", binary=binary, notify="https://example.com/")
    assert (job.kind, job.version) == ("infer", 2)
    assert next(headers for _, path, headers, _ in server.seen if "/infer" in path)["maas-notify"]
    np.testing.assert_array_equal(maas.jobs.answer(job)["y"], ROWS * 2)
    answered = maas.jobs.answer_response(job.id)
    assert (answered.model_name, answered.model_version) == ("times", "2")
    assert answered.outputs["y"].dtype == np.float32


def test_deferred_lists_take_signature(maas: Any) -> None:
    job = maas.infer_later("times", [3, 4])
    np.testing.assert_array_equal(maas.jobs.answer(job)["y"], np.array([[6, 8]], np.float32))


def test_large_request_uploaded(server: Server, maas: Any) -> None:
    rows = np.arange(1_200_000, dtype=np.float32).reshape(-1, 2)  # 4.8 MB
    server.trouble = [("POST /api/v1/jobs$", 503)]
    job = maas.infer_later("times", {"x": rows}, 2)
    assert [path.endswith("/infer") for path in server.seen_paths("POST")] == [False, False, False]
    (_, body), _ = [(path, body) for method, path, _, body in server.seen if (method, path) == ("POST", "/api/v1/jobs")]
    assert json.loads(body).keys() == {"model", "version", "kind", "upload", "header_length"}
    np.testing.assert_array_equal(maas.jobs.answer(job)["y"], rows * 2)


def test_failed_upload_cancels_job(server: Server, maas: Any) -> None:
    server.trouble = [("PUT /bucket", 403)]
    with pytest.raises(UploadFailed, match="HTTP 403"):
        maas.infer_later("times", {"x": np.zeros((600_000, 2), np.float32)})
    assert [job["status"] for job in server.jobs.values()] == ["CANCELLED"]


def test_deferred_request_sent_once(server: Server, maas: Any) -> None:
    server.trouble = [("/infer", 503)]
    with pytest.raises(ServerFailed):
        maas.infer_later("times", {"x": ROWS})
    assert server.jobs == {}


def test_answer_timeout(server: Server, maas: Any) -> None:
    server.holds = True
    job = maas.infer_later("times", {"x": ROWS})
    with pytest.raises(JobTimedOut, match="is still RUNNING"):
        maas.jobs.answer(job, timeout_seconds=1)
    server.jobs[job.id] |= {"status": "FAILED", "reason": "inputs: too many"}
    with pytest.raises(JobFailed, match="failed: inputs: too many"):
        maas.jobs.answer(job)


def test_job_kinds_name_their_method(maas: Any, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"x": [1, 2]}\n')
    with pytest.raises(InvalidInput, match="`maas job answer`"):
        maas.jobs.download(maas.infer_later("times", {"x": ROWS}), tmp_path)
    with pytest.raises(InvalidInput, match="`maas job download`"):
        maas.jobs.answer(maas.batch("times", tmp_path / "x.jsonl"))
