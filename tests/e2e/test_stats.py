"""`maas stats` shows what was sent to the running system, by every way of asking."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from maas_client import InvalidRequest, MaasClient
from maas_client.cli import app
from support import onnx_models

PATIENCE_SECONDS = 30  # environments write every ten


def until(look: Callable[[], Any], wanted: Any) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.5)


def test_stats_are_what_was_sent(
    maas: MaasClient, url: str, api_key: str, http: httpx.Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"counted-{time.time_ns()}"
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear())
    maas.push(tmp_path / "model.onnx", name, alias="prod")
    maas.push(tmp_path / "model.onnx", name)
    x = np.ones((4, 3), np.float32)
    for _ in range(6):
        maas.infer(name, {"x": x}, "prod")
    for _ in range(3):
        maas.infer(name, {"x": x}, 2)
    with pytest.raises(InvalidRequest):
        maas.infer_json(name, {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}, 2)
    maas.jobs.answer(maas.infer_later(name, {"x": x}, 2))
    np.save(tmp_path / "x.npy", np.ones((50, 3), np.float32))
    job = maas.batch(name, tmp_path / "x.npy", 1, wait=True)
    assert job.progress and job.progress.usd and job.progress.gb_seconds > 0

    def sums() -> dict[int | None, tuple[int, ...]]:
        found = maas.models.metrics(name)
        return {
            one.version: (one.total.requests, one.total.errors, one.total.refused, one.total.rows, one.total.records)
            for one in found.series
        }

    until(sums, {1: (6, 0, 0, 24, 50), 2: (5, 0, 1, 17, 0)})
    by_alias = {one.alias: one.total.requests for one in maas.models.metrics(name, by="alias").series}
    assert by_alias == {"prod": 6, "": 5}
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        app(["stats", name, "--json", "--url", url, "--api-key", api_key])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["total"]["requests"] == 11
    stats = http.get(f"/v2/models/{name}/versions/2/stats", params={"scope": "fleet"}).json()["model_stats"][0]
    assert (stats["inference_count"], stats["inference_stats"]["fail"]["count"]) == (4, 1)
