"""What counting adds to a request, and what a write of counters takes after an answer."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.cases import Case
from benchmarks.figures import Figure
from benchmarks.warm import CONTEXT, inference_app
from maas.metrics.counters import Counters
from maas.telemetry.request_log import observed
from support.aws.engine import Cloud

BLOCKS, CALLS = 120, 100
FLUSHES = 50
BUDGET_US = 3.0


def measure(cloud: Cloud, case: Case) -> list[Figure]:
    """CPU of the handler's thread, with counting and without it: the median difference of neighbouring blocks."""
    cloud.create_model("counted")
    assert cloud.deploy("counted", case.content).status == "READY"
    app = inference_app(cloud)
    event, plain = case.event("counted"), observed(app.lambda_handler.__wrapped__.__wrapped__)
    counted: list[float] = []
    uncounted: list[float] = []
    for _ in range(BLOCKS):
        counted.append(_cpu_us(lambda: app.lambda_handler(event, CONTEXT), CALLS))
        uncounted.append(_cpu_us(lambda: plain(event, CONTEXT), CALLS))
    added_us = statistics.median(a - b for a, b in zip(counted, uncounted, strict=True))
    ours_ms, bare_ms = statistics.median(counted) / 1000, statistics.median(uncounted) / 1000
    added = Figure("counting a request", ours_ms, "not counting", bare_ms, added_us, " µs of CPU", BUDGET_US)
    return [added, _flush(app.counters)]


def _flush(counters: Counters) -> Figure:
    """A write of one row, against the local engine: CPU of the thread that writes, not of the engine."""
    times = []
    for _ in range(FLUSHES):
        counters.count_shard("counted", 1, 1, 0, 0.0, 0)
        times.append(_cpu_us(counters.flush, 1))
    us = statistics.median(times)
    return Figure("writing counters, after an answer", us / 1000, "–", 0.0, us, " µs of CPU")


def _cpu_us(call: Callable[[], Any], calls: int) -> float:
    """Microseconds of this thread's CPU time a call, on average."""
    started = time.thread_time_ns()
    for _ in range(calls):
        call()
    return (time.thread_time_ns() - started) / calls / 1000
