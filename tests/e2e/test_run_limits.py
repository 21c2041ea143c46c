"""Runs beyond the memory or the time of a request: its caller is told in time, and the next request works."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_client import MaasClient
from support import onnx_models

MODELS = {"limits_memory": onnx_models.nonzero(), "limits_time": onnx_models.squared()}


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, content in MODELS.items():
        path: Path = tmp_path_factory.mktemp(name) / "model.onnx"
        path.write_bytes(content)
        maas.push(path, name)


def infer(http: httpx.Client, model: str, tensor: dict[str, Any], **parameters: int) -> tuple[int, dict[str, Any]]:
    document = {"inputs": [tensor | {"datatype": "INT64"}], "parameters": parameters}
    answer = http.post(f"/v2/models/{model}/infer", json=document)
    return answer.status_code, answer.json()


@pytest.mark.full
def test_run_beyond_the_memory_of_the_function(http: httpx.Client) -> None:
    """NonZero allocates outside of onnxruntime's arena: without a limit it takes gigabytes."""
    status, found = infer(http, "limits_memory", {"name": "count", "shape": [1], "data": [200_000_000]})
    assert (status, "more memory than this function has" in found["error"]) == (400, True), found
    status, found = infer(http, "limits_memory", {"name": "count", "shape": [1], "data": [1000]})
    assert (status, found["outputs"][0]["data"]) == (200, [999])


@pytest.mark.full
def test_operator_beyond_the_timeout(http: httpx.Client) -> None:
    started = time.monotonic()
    status, found = infer(http, "limits_time", {"name": "size", "shape": [], "data": [6000]}, timeout=500_000)
    assert (status, "while the model ran" in found["error"]) == (504, True), found
    assert time.monotonic() - started < 5
    status, found = infer(http, "limits_time", {"name": "size", "shape": [], "data": [3]})
    assert (status, found["outputs"][0]["data"]) == (200, [3])
