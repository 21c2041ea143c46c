"""An inference function with models from disk, and no registry: for tests that send many requests to its handler."""

import base64
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from maas.errors import NotFound
from maas.records import ModelFile, ModelVersion, Status
from maas.records.aliases import whole
from maas.registry import Resolution
from maas.serving.dataplane import DataPlane
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import HEADER_LENGTH
from maas.serving.oip_reply import OutputTensor, json_data, raw_bytes
from maas.serving.runner import Runner
from maas.serving.runner_cache import RunnerCache
from support.aws.engine import CREDENTIALS, ROOT

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000, aws_request_id="id")
NOWHERE = "http://127.0.0.1:9"  # where counters cannot be written


class Disk:
    """A registry of model files: each model has one version, 1. `described` are the models with a signature."""

    def __init__(self, paths: dict[str, Path], described: Sequence[str] = ()) -> None:
        self.paths, self.described = paths, described

    def resolution(self, model: str, _: str | None) -> Resolution:
        return Resolution(whole(1), (self._version(model),))

    def _version(self, model: str) -> ModelVersion:
        if model not in self.paths:
            raise NotFound("model", model)
        version = ModelVersion(model, 1, Status.READY, (ModelFile("model.onnx", 1, ""),), "", "", 1)
        if model not in self.described:
            return version
        runner = Runner(self.paths[model], threads=1)
        return replace(version, inputs=runner.inputs, outputs=runner.outputs)


@cache
def _application() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            CREDENTIALS | {"MAAS_TABLE": "none", "MAAS_BUCKET": "none", "AWS_ENDPOINT_URL": NOWHERE}
        ).items():
            patch.setenv(name, value)
        sys.path.insert(0, str(ROOT / "functions" / "inference"))
        sys.modules.pop("app", None)
        app = import_module("app")
        import_module("web_app")
        del sys.modules["app"], sys.path[0]
        return app


def inference_function(paths: dict[str, Path], described: Sequence[str] = ()) -> ModuleType:
    """functions/inference/app.py over these files."""
    app = _application()
    runners = RunnerCache(lambda version, _: Runner(paths[version.model], threads=1), budget_bytes=1 << 30)
    app.dataplane = DataPlane(Disk(paths, described), runners, 3600)  # type: ignore[arg-type, attr-defined]
    return app


def event(path: str, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> dict[str, Any]:
    """API Gateway's, payload format 2.0."""
    path, _, query = path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers or {},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
            "authorizer": {"lambda": {"actor": "key:0123456789abcdef", "name": "tests", "scopes": "infer models:read"}},
        },
        "isBase64Encoded": True,
        "body": base64.b64encode(body).decode(),
    }


def request(tensors: Sequence[OutputTensor], *, binary: bool) -> tuple[bytes, dict[str, str]]:
    """An infer request's body and headers."""
    inputs, raws = [], []
    for tensor in tensors:
        said: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.array.shape}
        if binary:
            raws.append(raw_bytes(tensor.array))
            said["parameters"] = {"binary_data_size": len(raws[-1])}
        else:
            data = json_data(tensor)
            said["data"] = data if isinstance(data, list) else data.tolist()
        inputs.append(said)
    header = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": binary}}).encode()
    return b"".join([header, *raws]), {HEADER_LENGTH: str(len(header))} if binary else {}


def outputs(answer: dict[str, Any]) -> dict[str, Array]:
    """The arrays of an infer answer, read without the code under test."""
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    end = int(answer["headers"].get(HEADER_LENGTH, len(body)))
    found, rest = {}, body[end:]
    for output in json.loads(body[:end])["outputs"]:
        if "data" in output:
            flat = np.array(output["data"], DTYPES[output["datatype"]])
        else:
            size = output["parameters"]["binary_data_size"]
            flat, rest = _read(rest[:size], DTYPES[output["datatype"]]), rest[size:]
        found[output["name"]] = flat.reshape(output["shape"])
    assert not rest
    return found


def _read(raw: bytes, dtype: np.dtype[Any]) -> Array:
    if not dtype.hasobject:
        return np.frombuffer(raw, dtype)
    texts = []
    while raw:
        end = 4 + int.from_bytes(raw[:4], "little")
        texts.append(raw[4:end].decode())
        raw = raw[end:]
    return np.array(texts, dtype)


def post(app: ModuleType, path: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The answer to text, or to a document as JSON."""
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer: dict[str, Any] = app.lambda_handler(event(path, content, headers), CONTEXT)
    return answer
