"""The servers that answer the same requests: the local stack, KServe and MLServer, each in processes of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.connection import Connection
from maas_client import MaasClient
from support.aws.engine import ROOT

THREADS = 1  # what InferenceMemory's default in template.yaml buys
START_SECONDS = 60
SOURCES = Path(__file__).parent / "peer_servers"
Models = Mapping[str, Path]


@dataclass(frozen=True)
class Endpoint:
    """A server that is ready. `infer` is its path to a model; `binary` is whether it takes the binary extension.

    `pid` is its first process. `function` is a word of the process that would be the Lambda function, if there is one.
    """

    name: str
    connection: Connection
    pid: int
    infer: str
    function: str | None = None
    binary: bool = True


@contextmanager
def local_stack(
    models: Models, folder: Path, name: str = "ours", parameter: str = "KeyHeader=any"
) -> Iterator[Endpoint]:
    port, log = _free_port(), name.replace(" ", "-")
    command = [sys.executable, "-c", "from maas_client.cli import app; app()", "local", "--port", str(port)]
    command += ["--data", str(folder / f"{log}-data"), "--parameter", parameter]
    with _running(log, command, {}, folder, port, "/v2/health/ready") as pid:
        said = re.search(r"MAAS_API_KEY=(\S+)", (folder / f"{log}.log").read_text())
        assert said
        with MaasClient(f"http://127.0.0.1:{port}", said[1]) as maas:
            for model, path in models.items():
                maas.push(path, model)
        connection, infer = Connection(port, {"x-api-key": said[1]}), "/v2/models/{}/versions/1/infer"
        yield Endpoint(name, connection, pid, infer, function="functions/inference")


@contextmanager
def remembering_stack(models: Models, folder: Path) -> Iterator[Endpoint]:
    """The local stack whose gateway remembers keys, as API Gateway does where callers use one header only."""
    with local_stack(models, folder, "ours, key remembered", "KeyHeader=x-api-key") as endpoint:
        yield endpoint


@contextmanager
def kserve(models: Models, folder: Path) -> Iterator[Endpoint]:
    port = _free_port()
    named = [f"{name}={path}" for name, path in models.items()]
    command = [_python("kserve"), str(SOURCES / "kserve_server.py"), str(port), str(THREADS), *named]
    with _running("kserve", command, {}, folder, port, *(f"/v2/models/{name}/ready" for name in models)) as pid:
        yield Endpoint("KServe", Connection(port), pid, "/v2/models/{}/infer")


@contextmanager
def mlserver(models: Models, folder: Path) -> Iterator[Endpoint]:
    """With the settings that make it fastest here: no worker process in between, no metrics, no compression."""
    port, settings = _free_port(), folder / "mlserver"
    for name, path in models.items():
        (settings / name).mkdir(parents=True)
        parameters = {"uri": str(path), "extra": {"threads": THREADS}}
        said = {"name": name, "implementation": "mlserver_runtime.OnnxRuntime", "parameters": parameters}
        (settings / name / "model-settings.json").write_text(json.dumps(said))
    server = {"host": "127.0.0.1", "http_port": port, "grpc_port": _free_port(), "metrics_endpoint": None}
    server |= {"debug": False, "parallel_workers": 0, "gzip_enabled": False}
    (settings / "settings.json").write_text(json.dumps(server))
    command = [_python("mlserver"), "-m", "mlserver.cli.main", "start", str(settings)]
    paths = {"PYTHONPATH": str(SOURCES)}
    with _running("mlserver", command, paths, folder, port, *(f"/v2/models/{name}/ready" for name in models)) as pid:
        yield Endpoint("MLServer", Connection(port), pid, "/v2/models/{}/infer", binary=False)


def is_installed(name: str) -> bool:
    """What `make peers` sets up."""
    return Path(_python(name)).exists()


def _python(name: str) -> str:
    return str(ROOT / f".venv-{name}" / "bin" / "python")


@contextmanager
def _running(
    name: str, command: list[str], environment: Mapping[str, str], folder: Path, port: int, *ready: str
) -> Iterator[int]:
    """The id of a process, from the time that all `ready` paths answer 200 to the block's end.

    Its output is shown if it fails.
    """
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    with (folder / f"{name}.log").open("w+b") as log:
        process = subprocess.Popen(command, env=kept | dict(environment), cwd=ROOT, stdout=log, stderr=log)
        try:
            until = time.monotonic() + START_SECONDS
            while not all(_answers(port, path) for path in ready):
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise RuntimeError(f"{name} did not start:\n{log.read()[-2000:].decode(errors='replace')}")
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
