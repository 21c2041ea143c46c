"""`maas stats` shows what was sent to the running system, by every way of asking."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from maas.aws.dynamodb import Table, boto3_call
from maas.metrics.counter_rows import ROLLED, Step
from maas.metrics.counters import Counters
from maas.records import ModelVersion, Status
from maas.telemetry.observation import Observation
from maas.telemetry.stages import Stage
from maas_client import InvalidRequest, MaasClient
from maas_client.cli import app
from maas_local.stack import LocalStack
from support import onnx_models
from support.aws.engine import ROOT

PATIENCE_SECONDS = 60  # environments write every ten


def until(look: Callable[[], Any], wanted: Any) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.5)


@pytest.mark.full
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

    maas.push(tmp_path / "model.onnx", f"{name}-other")

    def sums() -> dict[int | None, tuple[int, ...]]:
        """Lambda stops an environment between its answers: only another one makes it write what it counted last."""
        maas.infer(f"{name}-other", {"x": x})
        maas.jobs.answer(maas.infer_later(f"{name}-other", {"x": x}))
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


@pytest.mark.not_on("sam", "cloud", reason="it writes rows of an earlier time, and calls a handler in a process")
def test_schedule_rolls_hours_up(
    system: LocalStack, maas: MaasClient, call: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear())
    version = maas.push(tmp_path / "model.onnx", "rolled-up")
    now = datetime.now(UTC)
    then = now - timedelta(hours=30)
    table = Table(boto3_call(system.cloud.client("dynamodb")), system.environment["MAAS_TABLE"])
    counters = Counters(table, 1024)
    seen = Observation({})
    seen.version = ModelVersion("rolled-up", version.version, Status.READY, (), "", "", 1)
    seen.stage, seen.status, seen.now_ns, seen.elapsed_ns = Stage.start(), 200, int(then.timestamp() * 1e9), 5_000_000
    counters.count(seen)
    counters.flush()
    event = json.loads((ROOT / "events" / "maintenance_purge.json").read_text())
    hour = f"{then:%Y-%m-%dT%H}"

    def rolled_up() -> list[int] | str:
        """The stack's own schedule rolls up every two minutes, and may end between these calls: then once more."""
        table.replace({ROLLED: {"until": Step.HOUR.floor(then).isoformat()}})  # days without traffic take their time
        if hour not in call("maintenance", "app", event)["rolled_up"]:
            return "by the schedule"
        return [row["requests"] for row in table.query("S#rolled-up", "h#", limit=10)[0]]

    until(rolled_up, [1])
    for step in ("hour", "day"):
        found = maas.models.metrics("rolled-up", start=then, end=now, step=step)  # type: ignore[arg-type]
        assert [point.requests for one in found.series for point in one.points] == [1]
