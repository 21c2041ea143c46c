"""Warm: what the handler adds to `session.run`, with the registry's answer and the runner cached."""

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from aws import ROOT, Cloud

from benchmarks.figures import Figure

BLOCKS, CALLS = 20, 100


def measure(
    cloud: Cloud, name: str, content: bytes, shape: list[int], budget_us: float | None, calls: int = CALLS
) -> Figure:
    """Medians of interleaved blocks; the value is the difference, in µs."""
    model = f"warm-{hashlib.sha256(content).hexdigest()[:8]}"
    cloud.create_model(model)
    assert cloud.deploy(model, content).status == "READY"
    app = _app(cloud)
    data = np.random.default_rng(0).random(shape).astype(np.float32)
    tensor = {"name": "x", "shape": shape, "datatype": "FP32", "data": data.ravel().tolist()}
    event = json.loads((ROOT / "events" / "inference_infer.json").read_text())
    event |= {"rawPath": f"/v2/models/{model}/versions/1/infer", "body": json.dumps({"inputs": [tensor]})}
    assert app.lambda_handler(event, None)["statusCode"] == 200
    runner = app.dataplane._runners.get(app.dataplane.resolve(model, "1"))
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(BLOCKS):
        ours += _times(lambda: app.lambda_handler(event, None), calls)
        bare += _times(lambda: runner._session.run(None, {"x": data}), calls)
    ours_ms, bare_ms = statistics.median(ours), statistics.median(bare)
    return Figure(f"warm, {name}", ours_ms, "session.run", bare_ms, (ours_ms - bare_ms) * 1000, " µs", budget_us)


def _app(cloud: Cloud) -> Any:
    import os

    os.environ.update(cloud.environment)
    os.environ["MAAS_RESOLVE_TTL_SECONDS"] = "3600"
    folder = str(ROOT / "functions" / "inference")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import app

    return app


def _times(call: Callable[[], object], calls: int) -> list[float]:
    """Milliseconds of each call."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return times
