"""A function in Lambda's image: under the interface emulator as Lambda runs it, and called in a plain process there."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.aws.engine import ROOT
from support.cloud.engine import IMAGE

BUILD = ROOT / ".aws-sam" / "build"
IN_PROCESS = ROOT / "tests" / "cloud" / "in_process.py"
DOCKER = "/var/run/docker.sock"
START_SECONDS = 30


@dataclass(frozen=True)
class Deployed:
    """What a container needs to be this function. `opt` is what its layers give it."""

    folder: Path
    handler: str
    opt: Path
    environment: dict[str, str]
    event: Any

    @property
    def options(self) -> list[str]:
        mounts = ["--volume", f"{self.folder}:/var/task:ro", "--volume", f"{self.opt}:/opt:ro"]
        return [*mounts, *(f"--env={name}={value}" for name, value in self.environment.items())]


@dataclass(frozen=True)
class Timing:
    """Seconds of the first answer and of one later answer, and the CPU seconds in them."""

    cold: float
    warm: float
    cold_cpu: float = 0.0
    warm_cpu: float = 0.0


@contextmanager
def merged(layers: Sequence[str]) -> Iterator[Path]:
    """/opt with these layers, by hard links."""
    with tempfile.TemporaryDirectory(dir=BUILD.parent) as folder:
        Path(folder).chmod(0o755)
        for layer in layers:
            shutil.copytree(BUILD / layer, folder, copy_function=os.link, dirs_exist_ok=True)
        yield Path(folder)


def under_emulator(function: Deployed, calls: int) -> Timing:
    command = ["docker", "run", "--detach", "--publish=127.0.0.1::8080", *function.options, IMAGE, function.handler]
    container = _output(command)
    try:
        address = _output(["docker", "port", container, "8080/tcp"]).splitlines()[0]
        with httpx.Client(base_url=f"http://{address}", timeout=60) as http:
            _wait(http)
            cold = _invoke(http, function.event)
            cold_cpu = _cpu_seconds(container)
            warm = [_invoke(http, function.event) for _ in range(calls)]
            warm_cpu = (_cpu_seconds(container) - cold_cpu) / calls
        return Timing(cold, statistics.median(warm), cold_cpu, warm_cpu)
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True)


def in_process(function: Deployed, calls: int) -> tuple[Timing, list[str]]:
    """Its timing, and the modules that its import adds."""
    options = ["--volume", f"{IN_PROCESS}:/in_process.py:ro", "--env=PYTHONPATH=/var/task:/opt/python"]
    command = ["docker", "run", "--rm", "--interactive", "--entrypoint=python3", *options, *function.options, IMAGE]
    said = _output([*command, "/in_process.py", function.handler, str(calls)], json.dumps(function.event))
    found = json.loads(said.splitlines()[-1])
    return Timing(found["cold"], statistics.median(found["warm"])), found["modules"]


def _output(command: list[str], given: str | None = None) -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command[:3])}: {done.stdout[-1000:]} {done.stderr[-2000:]}"
    return done.stdout.strip()


def _wait(http: httpx.Client) -> None:
    """Until the emulator listens; it starts the function with the first event."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            http.get("/")
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the emulator did not start"
            time.sleep(0.02)


def _invoke(http: httpx.Client, event: Any) -> float:
    begun = time.perf_counter()
    answer = http.post("/2015-03-31/functions/function/invocations", json=event)
    taken = time.perf_counter() - begun
    assert answer.status_code == 200 and "errorType" not in answer.text, answer.text
    return taken


def _cpu_seconds(container: str) -> float:
    with httpx.Client(transport=httpx.HTTPTransport(uds=DOCKER), base_url="http://docker") as docker:
        found = docker.get(f"/containers/{container}/stats", params={"stream": "false", "one-shot": "true"}).json()
    return float(found["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9
