"""Cold start: a fresh process to its first right answer, through the handler, against a bare script."""

import hashlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import Figure
from support.aws.engine import ROOT, Cloud

PAIRS = 11
BARE = """
import sys
import numpy as np
import onnxruntime as ort

options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
assert session.run(None, {"x": np.ones((1, 64), np.float32)})[0].shape == (1, 8)
print("answered", flush=True)
"""
OURS = """
import hashlib
import json
import sys
from types import SimpleNamespace
import app

context = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000)
with open(sys.argv[1]) as file:
    answer = app.lambda_handler(json.load(file), context)
assert json.loads(answer["body"])["outputs"][0]["shape"] == json.loads(sys.argv[2]), answer
print("answered", flush=True)
"""


def measure(cloud: Cloud, name: str, content: bytes, folder: Path, budget: float) -> Figure:
    """Both in turn, A B A B …: the median of the pairs' ratios. /tmp is empty each time."""
    model = f"cold-{hashlib.sha256(content).hexdigest()[:8]}"
    cloud.create_model(model)
    assert cloud.deploy(model, content).status == "READY"
    path, event = folder / f"{model}.onnx", _event(model, [1, 64], folder)
    path.write_bytes(content)
    pairs = []
    for _ in range(PAIRS + 1):  # the first, which fills the bytecode caches, is not counted
        shutil.rmtree(cloud.settings.tmp_dir, ignore_errors=True)
        pairs.append((_run(cloud, OURS, event, [1, 8]), _run(cloud, BARE, path)))
    ours, bare = zip(*pairs[1:], strict=True)
    ratio = statistics.median(a / b for a, b in pairs[1:])
    reference = "bare numpy + onnxruntime script"
    return Figure(
        f"cold start, {name}", statistics.median(ours), reference, statistics.median(bare), ratio, "×", budget
    )


def measure_preparation(
    cloud: Cloud, name: str, content: bytes, shapes: tuple[list[int], list[int]], folder: Path
) -> Figure:
    """A fresh process to its first answer with the prepared form and, in turn, with the source alone.

    `shapes` are those of input and output. Nothing is written back, so that each run without a form finds none.
    """
    given, answered = shapes
    events = []
    for form in ("prepared", "source"):
        model = f"{form}-{hashlib.sha256(content).hexdigest()[:8]}"
        cloud.create_model(model)
        version = cloud.deploy(model, content)
        assert version.status == "READY" and version.variants[0].files
        events.append(_event(model, given, folder))
    cloud.forget_prepared(model, 1)
    pairs = []
    for _ in range(PAIRS + 1):
        pair = []
        for event in events:
            shutil.rmtree(cloud.settings.tmp_dir, ignore_errors=True)
            pair.append(_run(cloud, OURS, event, answered))
        pairs.append(pair)
    prepared, source = zip(*pairs[1:], strict=True)
    ratio = statistics.median(a / b for a, b in pairs[1:])
    return Figure(
        f"cold start, {name}, prepared", statistics.median(prepared), "source", statistics.median(source), ratio, "×"
    )


def _event(model: str, shape: list[int], folder: Path) -> Path:
    """A file with the request, of ones, as API Gateway passes it on."""
    tensor = {"name": "x", "shape": shape, "datatype": "FP32", "data": [1.0] * math.prod(shape)}
    request = json.loads((ROOT / "events" / "inference_infer.json").read_text())
    request |= {"rawPath": f"/v2/models/{model}/versions/1/infer", "body": json.dumps({"inputs": [tensor]})}
    event = folder / f"{model}.json"
    event.write_text(json.dumps(request))
    return event


def _run(cloud: Cloud, script: str, argument: Path, *more: object) -> float:
    """Milliseconds until the answer: no cold start waits for the end of the process."""
    environment = cloud.environment | {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", script, str(argument), *map(json.dumps, more)]
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT / "functions" / "inference", env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        answered = any(line == "answered\n" for line in process.stdout)  # the handler prints a line of its log before
        took = time.perf_counter() - started
        process.stdout.read()
    assert answered and process.returncode == 0
    return took * 1000
