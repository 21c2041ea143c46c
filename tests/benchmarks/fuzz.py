"""Broken requests through the inference handler, 200,000 or a minute of them, and ten thousand broken models."""

import json
import subprocess
import sys
import time

from benchmarks.figures import Figure
from support.aws.engine import ROOT
from support.fuzzing import requests

CASES, SECONDS = 200_000, 60
MODELS = 10_000


def measure() -> Figure:
    """How many were sent, and the mean time of one. Raises AssertionError for an answer that is not proper."""
    originals = requests.good_requests()
    with requests.function() as app:
        started = time.perf_counter()
        for sent in originals * 10:
            requests.answered(app, sent)
        good_ms = (time.perf_counter() - started) * 1000 / (10 * len(originals))
    started = time.perf_counter()
    sent_count = requests.run(CASES, seed=2, seconds=SECONDS).total()
    broken_ms = (time.perf_counter() - started) * 1000 / sent_count
    return Figure(
        "broken requests, all refused or answered", broken_ms, "good ones", good_ms, sent_count, " sent", None
    )


def measure_models() -> Figure:
    """How many were inspected, and the mean time of one. Raises AssertionError if one got through with a lie."""
    command = [sys.executable, "-m", "support.fuzzing.models", str(MODELS), "7"]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, check=True)
    each_ms = (time.perf_counter() - started) * 1000 / MODELS
    counted = json.loads(done.stdout)
    assert {"lied", "failed"}.isdisjoint(counted), counted
    return Figure(f"broken models: {counted}", each_ms, "none", 0, MODELS, " inspected", None)
