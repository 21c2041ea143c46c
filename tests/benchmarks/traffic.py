"""What an alias with routes adds to a request: CPU over the same request to an alias without routes, in one run."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.cases import Case
from benchmarks.figures import Figure
from benchmarks.warm import CONTEXT, inference_app
from maas import bootstrap
from maas.records.aliases import Route
from support.aws.engine import Cloud

BLOCKS, CALLS = 60, 200
BUDGET_US = 5
STICKY = ("none", "caller", "header:x-user")


def measure(cloud: Cloud, case: Case) -> list[Figure]:
    model = "shared"
    cloud.create_model(model)
    versions = [cloud.deploy(model, case.content).number for _ in range(2)]
    aliases = bootstrap.registry(cloud.settings).aliases
    aliases.set(model, "whole", versions[0], "tester")
    names = {sticky: f"s{index}" for index, sticky in enumerate(STICKY)}
    for sticky, name in names.items():
        aliases.set(model, name, [Route(number, 50) for number in versions], "tester", sticky=sticky)
    app = inference_app(cloud)

    def call(alias: str) -> Callable[[], Any]:
        event = case.event(model)
        event["rawPath"] = f"/v2/models/{model}/versions/{alias}/infer"
        event["headers"] |= {"x-user": "ann"}
        assert app.lambda_handler(event, CONTEXT)["statusCode"] == 200
        return lambda: app.lambda_handler(event, CONTEXT)

    calls = {alias: call(alias) for alias in ("whole", *names.values())}
    for _ in range(20):  # both versions are loaded
        calls["s0"]()
    times: dict[str, list[float]] = {alias: [] for alias in calls}
    for _ in range(BLOCKS):
        for alias, one in calls.items():
            times[alias].append(_cpu_ms(one))
    whole_ms = statistics.median(times["whole"])
    figures = []
    for sticky, name in names.items():
        added_us = statistics.median(a - b for a, b in zip(times[name], times["whole"], strict=True)) * 1000
        ours_ms = statistics.median(times[name])
        figures.append(Figure(f"routes, {sticky}", ours_ms, "one version", whole_ms, added_us, " µs of CPU", BUDGET_US))
    return figures


def _cpu_ms(call: Callable[[], Any]) -> float:
    """Milliseconds of CPU of one call, on average."""
    started = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - started) / CALLS * 1000
