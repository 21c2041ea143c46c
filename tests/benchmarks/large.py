"""A model of over 2 GB through the whole line: uploaded, deployed, downloaded, loaded, run; and the memory of that."""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from benchmarks.disk_bucket import disk_bucket
from benchmarks.figures import Figure
from maas import bootstrap
from maas.deployment import uploads
from maas.deployment.artifacts import file_digest, source_key
from maas.records import ModelFile, Status
from support import onnx_models
from support.aws.engine import ROOT, Cloud

LAYERS, WIDTH = 8, 8224
TMP_MB, MEMORY_MB = 8192, 10_240
NAME, DATA = "model.onnx", "weights.bin"
_INFER = """
import json, sys, time
from maas import bootstrap
from maas.deployment.inspection import peak_memory_bytes
from maas.settings import Settings
plane = bootstrap.dataplane(Settings.from_env())
base = peak_memory_bytes()
started = time.perf_counter()
answer = json.loads(plane.infer("large", "1", sys.stdin.buffer.read()).body)
ms = (time.perf_counter() - started) * 1000
print(json.dumps({"y": answer["outputs"][0]["data"], "ms": ms, "bytes": peak_memory_bytes() - base}))
"""


def measure(cloud: Cloud, folder: Path) -> list[Figure]:
    """Raises AssertionError if it does not become READY, or answers something else than NumPy does."""
    source = folder / "large"
    source.mkdir()
    size_bytes = _write(source)
    assert size_bytes > 1 << 31
    prefix = f"/{cloud.settings.bucket}/models/large/"
    with disk_bucket(cloud.settings.endpoint_url, prefix, folder / "bucket") as url:
        settings = replace(cloud.settings, endpoint_url=url, tmp_mb=TMP_MB, memory_mb=MEMORY_MB)
        return _measured(Cloud(settings), source, size_bytes)


def _measured(cloud: Cloud, source: Path, size_bytes: int) -> list[Figure]:
    _upload(cloud, source)
    started = time.perf_counter()
    version = bootstrap.deployment(cloud.settings).deploy("large", 1)
    deploy_ms = (time.perf_counter() - started) * 1000
    assert version.status is Status.READY, version.status_reason
    named = f"{size_bytes / 1e9:.1f} GB"
    figures = [Figure(f"deploy {named}", deploy_ms, "none", 0, deploy_ms / 1000, " s")]
    x = np.random.default_rng(1).random((1, WIDTH)).astype(np.float32)
    expected = _expected(source, x)
    shutil.rmtree(source)
    for form, times, ms in _inferences(cloud, x, expected, size_bytes):
        budget = 1.3 if form == "prepared" else None
        figures.append(Figure(f"memory, first answer of {named}, {form}", ms, "model size", 0, times, "×", budget))
    return figures


def _write(folder: Path) -> int:
    """x[n, 8224] through square matrices with a Relu after each, to y[n, 8224]; bytes of all files."""
    random, nodes, weights, last = np.random.default_rng(0), [], [], "x"
    with (folder / DATA).open("wb") as data:
        for index in range(LAYERS):
            change = onnx_models.external(DATA, offset=str(data.tell()), length=str(4 * WIDTH * WIDTH))
            data.write((random.random((WIDTH, WIDTH), np.float32) - 0.5) * np.float32(4 / np.sqrt(WIDTH)))
            weight = TensorProto(name=f"w{index}", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH])
            change(weight)
            weights.append(weight)
            nodes.append(helper.make_node("MatMul", [last, f"w{index}"], [f"m{index}"]))
            last = f"r{index}" if index < LAYERS - 1 else "y"
            nodes.append(helper.make_node("Relu", [f"m{index}"], [last]))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in "xy"]
    graph = helper.make_graph(nodes, "large", values[:1], values[1:], weights)
    (folder / NAME).write_bytes(onnx_models.model(graph).SerializeToString())
    return sum(file.stat().st_size for file in folder.iterdir())


def _expected(folder: Path, x: np.ndarray) -> np.ndarray:
    weights = np.memmap(folder / DATA, np.float32, "r", shape=(LAYERS, WIDTH, WIDTH))
    for weight in weights:
        x = np.maximum(x @ weight, 0)
    return x


def _upload(cloud: Cloud, folder: Path) -> None:
    registry, bucket = bootstrap.registry(cloud.settings), bootstrap.bucket(cloud.settings)
    cloud.create_model("large")
    paths = [folder / NAME, folder / DATA]
    files = [ModelFile(path.name, path.stat().st_size, file_digest(path)) for path in paths]
    version = registry.versions.create("large", files, "", {}, "bench")
    for path in paths:
        bucket.upload(source_key("large", version.number, path.name), path)
    uploads.complete(bucket, version)


def _inferences(cloud: Cloud, x: np.ndarray, expected: np.ndarray, size_bytes: int) -> list[tuple[str, float, float]]:
    """Of each form, in a fresh environment: its name, the peak of memory in sizes of the model, milliseconds."""
    tensor = {"name": "x", "shape": x.shape, "datatype": "FP32", "data": x.ravel().tolist()}
    body = json.dumps({"inputs": [tensor]}).encode()
    found = []
    for form in ("prepared", "source"):
        if form == "source":
            cloud.forget_prepared("large", 1)
        shutil.rmtree(cloud.settings.tmp_dir, ignore_errors=True)
        environment = cloud.environment | {
            "MAAS_TMP_MB": str(TMP_MB),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        }
        command = [sys.executable, "-c", _INFER]
        done = subprocess.run(command, input=body, env=environment, cwd=ROOT, check=True, capture_output=True)
        answer = json.loads(done.stdout)
        np.testing.assert_allclose(np.array(answer["y"]), expected[0], rtol=1e-2, atol=1e-3 * expected.max())
        found.append((form, answer["bytes"] / size_bytes, answer["ms"]))
    shutil.rmtree(cloud.settings.tmp_dir, ignore_errors=True)
    return found
