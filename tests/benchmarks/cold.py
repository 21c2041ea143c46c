"""Cold start: a fresh process to its first right answer, through the handler, against a bare script."""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from aws import ROOT, Cloud

from benchmarks.figures import Figure

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
assert json.loads(answer["body"])["outputs"][0]["shape"] == [1, 8], answer
"""


def measure(cloud: Cloud, name: str, content: bytes, folder: Path, budget: float) -> Figure:
    """Both in turn, A B A B …: the median of the pairs' ratios. /tmp is empty each time."""
    model = f"cold-{hashlib.sha256(content).hexdigest()[:8]}"
    cloud.create_model(model)
    assert cloud.deploy(model, content).status == "READY"
    path, event = folder / f"{model}.onnx", folder / f"{model}.json"
    path.write_bytes(content)
    tensor = {"name": "x", "shape": [1, 64], "datatype": "FP32", "data": [1.0] * 64}
    request = json.loads((ROOT / "events" / "inference_infer.json").read_text())
    request |= {"rawPath": f"/v2/models/{model}/versions/1/infer", "body": json.dumps({"inputs": [tensor]})}
    event.write_text(json.dumps(request))
    pairs = []
    for _ in range(PAIRS + 1):  # the first, which fills the bytecode caches, is not counted
        shutil.rmtree(cloud.settings.tmp_dir, ignore_errors=True)
        pairs.append((_run(cloud, OURS, event), _run(cloud, BARE, path)))
    ours, bare = zip(*pairs[1:], strict=True)
    ratio = statistics.median(a / b for a, b in pairs[1:])
    reference = "bare numpy + onnxruntime script"
    return Figure(
        f"cold start, {name}", statistics.median(ours), reference, statistics.median(bare), ratio, "×", budget
    )


def _run(cloud: Cloud, script: str, argument: Path) -> float:
    """Milliseconds."""
    environment = cloud.environment | {"PATH": os.environ["PATH"]}
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", script, str(argument)],
        cwd=ROOT / "functions" / "inference",
        env=environment,
        check=True,
    )
    return (time.perf_counter() - started) * 1000
