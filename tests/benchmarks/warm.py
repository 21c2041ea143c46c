"""Warm: what the handler adds to `session.run`, with the registry's answer and the runner cached."""

import os
import statistics
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from benchmarks.cases import Case
from benchmarks.figures import Figure
from support.aws.engine import ROOT, Cloud

BLOCKS = 20
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000)


def measure(cloud: Cloud, cases: list[Case]) -> list[Figure]:
    app = inference_app(cloud)
    for model, content in {case.model: case.content for case in cases}.items():
        cloud.create_model(model)
        assert cloud.deploy(model, content).status == "READY"
    return [_measure(app, case) for case in cases]


def _measure(app: Any, case: Case) -> Figure:
    """Medians of interleaved blocks; the value is the difference, in µs, and the note its share of the call."""
    event = case.event(case.model)
    answer = app.lambda_handler(event, CONTEXT)
    assert answer["statusCode"] == 200, answer["body"]
    session = app.dataplane._runners.get(app.dataplane.resolve(case.model, "1").version)._session
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(BLOCKS):
        ours += _times(lambda: app.lambda_handler(event, CONTEXT), case.calls)
        bare += _times(lambda: session.run(None, {"x": case.x}), case.calls)
    ours_ms, bare_ms = statistics.median(ours), statistics.median(bare)
    codec_ms = ours_ms - bare_ms
    note = f"{codec_ms / ours_ms:.0%} of the call"
    return Figure(
        f"warm, {case.name}", ours_ms, "session.run", bare_ms, codec_ms * 1000, " µs", case.budget_us, note=note
    )


def inference_app(cloud: Cloud) -> Any:
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
