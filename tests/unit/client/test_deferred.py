"""Answers that come later, from both clients, over real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import InvalidInput, JobFailed, JobTimedOut, MaasClient, ServerFailed, UploadFailed
from support.server.server import ContractServer, contract_server
from unit.client.test_server import client_of

ROWS = np.arange(14, dtype=np.float32).reshape(7, 2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ContractServer]:
    """Model `times`: version 1, and 2, to which `prod` points."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"good")
    with contract_server() as server:
        with MaasClient(server.url) as maas:
            maas.push(model, "times")
            maas.push(model, "times", alias="prod")
        server.seen.clear()
        yield server


@pytest.fixture(params=["blocking", "async"])
def either(server: ContractServer, request: pytest.FixtureRequest) -> Iterator[Any]:
    with client_of(request.param, server.url) as client:
        yield client


@pytest.mark.parametrize("binary", [True, False])
def test_an_answer_comes_later(server: ContractServer, either: Any, binary: bool) -> None:
    job = either.infer_later("times", {"x": ROWS}, "prod", binary=binary, notify="https://example.com/")
    assert (job.kind, job.version) == ("infer", 2)
    assert next(headers for _, path, headers, _ in server.seen if "/infer" in path)["maas-notify"]
    np.testing.assert_array_equal(either.deferred_answer(job)["y"], ROWS * 2)
    answered = either.deferred_response(job.id)
    assert (answered.model_name, answered.model_version) == ("times", "2")
    assert answered.outputs["y"].dtype == np.float32


def test_lists_take_shape_and_datatype_from_the_signature(either: Any) -> None:
    job = either.infer_later("times", [3, 4])
    np.testing.assert_array_equal(either.deferred_answer(job)["y"], np.array([[6, 8]], np.float32))


def test_a_large_request_is_uploaded(server: ContractServer, either: Any) -> None:
    rows = np.arange(1_200_000, dtype=np.float32).reshape(-1, 2)  # 4.8 MB
    server.trouble = [("POST /api/v1/jobs$", 503)]
    job = either.infer_later("times", {"x": rows}, 2)
    assert [path.endswith("/infer") for path in server.seen_paths("POST")] == [False, False, False]
    (_, body), _ = [(path, body) for method, path, _, body in server.seen if (method, path) == ("POST", "/api/v1/jobs")]
    assert json.loads(body).keys() == {"model", "version", "kind", "upload", "header_length"}
    np.testing.assert_array_equal(either.deferred_answer(job)["y"], rows * 2)


def test_a_job_whose_request_cannot_be_uploaded_is_cancelled(server: ContractServer, either: Any) -> None:
    server.trouble = [("PUT /bucket", 403)]
    with pytest.raises(UploadFailed, match="HTTP 403"):
        either.infer_later("times", {"x": np.zeros((600_000, 2), np.float32)})
    assert [job["status"] for job in server.jobs.values()] == ["CANCELLED"]


def test_a_request_for_later_is_never_sent_twice(server: ContractServer, either: Any) -> None:
    server.trouble = [("/infer", 503)]
    with pytest.raises(ServerFailed):
        either.infer_later("times", {"x": ROWS})
    assert server.jobs == {}


def test_waiting_for_an_answer_ends_in_time(server: ContractServer, either: Any) -> None:
    server.holds = True
    job = either.infer_later("times", {"x": ROWS})
    with pytest.raises(JobTimedOut, match="is still RUNNING"):
        either.deferred_answer(job, timeout_seconds=0.2)
    server.jobs[job.id] |= {"status": "FAILED", "reason": "inputs: too many"}
    with pytest.raises(JobFailed, match="failed: inputs: too many"):
        either.deferred_answer(job)


def test_each_kind_of_job_says_how_its_results_are_got(server: ContractServer, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"x": [1, 2]}\n')
    with MaasClient(server.url) as maas:
        with pytest.raises(InvalidInput, match="`maas job answer`"):
            maas.download_results(maas.infer_later("times", {"x": ROWS}), tmp_path)
        with pytest.raises(InvalidInput, match="`maas job download`"):
            maas.deferred_answer(maas.batch("times", tmp_path / "x.jsonl"))
