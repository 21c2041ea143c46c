"""Execution environments: a version has its own, and layers are mounted, not copied.

- MiniStack keys its warm containers by function and code. Versions that differ in layers or variables alone would share
  them, and an update would stop a container that is answering. On AWS a new version has new environments, and the old
  ones finish: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
- MiniStack copies the layers into each container, which takes seconds of each cold start. Lambda mounts /opt:
  https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import hashlib
import io
import json
import tempfile
import threading
import zipfile
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from docker.types import Mount
from ministack.services import lambda_svc

_CONFIGURES = ("Version", "Handler", "Runtime", "Role", "Environment", "Layers", "MemorySize", "Timeout")
_layers: ContextVar[Path | None] = ContextVar("layers", default=None)
_merging = threading.Lock()


def mend() -> None:
    of_code = lambda_svc._warm_pool_key

    def of_version(name: str, configuration: dict[str, Any]) -> str:
        own = json.dumps([configuration.get(part) for part in _CONFIGURES], sort_keys=True, default=str)
        return f"{of_code(name, configuration)}:{hashlib.sha256(own.encode()).hexdigest()}"

    lambda_svc._warm_pool_key = of_version
    lambda_svc._pool_kill_function = lambda account, name: None  # the old environments are idle soon, and then removed
    _mount_layers()


def _mount_layers() -> None:
    spawn, add_mounts = lambda_svc._spawn_lambda_container_impl, lambda_svc._wire_cognito_issuer_host

    def spawn_with_mount(configuration: dict[str, Any], code: bytes | None, pin_platform: bool) -> Any:
        if not (layers := configuration.get("Layers")):
            return spawn(configuration, code, pin_platform)
        token = _layers.set(_opt(tuple(layer["Arn"] for layer in layers)))
        try:
            return spawn(configuration | {"Layers": []}, code, pin_platform)
        finally:
            _layers.reset(token)

    def add_layers(options: Any, variables: Any, mounts: list[Any], *rest: Any) -> None:
        if folder := _layers.get():
            mounts.append(Mount("/opt", str(folder), type="bind", read_only=True))
        add_mounts(options, variables, mounts, *rest)

    lambda_svc._spawn_lambda_container_impl = spawn_with_mount
    lambda_svc._wire_cognito_issuer_host = add_layers


def _opt(layers: tuple[str, ...]) -> Path:
    with _merging:
        return _merged(layers)


@cache
def _merged(layers: tuple[str, ...]) -> Path:
    """What a function with these layers sees as /opt."""
    folder = Path(tempfile.mkdtemp(prefix="opt-"))
    folder.chmod(0o755)
    for layer in layers:
        with zipfile.ZipFile(io.BytesIO(lambda_svc._resolve_layer_zip(layer))) as content:
            lambda_svc._extract_zip_preserving_mode(content, str(folder))
    return folder
