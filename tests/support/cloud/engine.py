"""MiniStack (tests/cloud/engine) as a process: an AWS endpoint with CloudFormation, IAM and Lambda in containers."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from maas_local.intrinsics import ACCOUNT, REGION
from support import sam_cli
from support.aws.engine import CREDENTIALS, ROOT

PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
RUNTIME = "public.ecr.aws/lambda/python:3.13"
PREFIX = "maas.local"  # of the image that has Lambda's interface emulator
IMAGE = f"{PREFIX}/{RUNTIME}"
OWNER = "maas-tests"  # with the port, in a label of each container
START_SECONDS = 60
_DOCKERFILE = f"""
FROM {RUNTIME}-x86_64
COPY aws-lambda-rie /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/aws-lambda-rie", "/var/runtime/bootstrap"]
"""


@dataclass(frozen=True)
class Engine:
    url: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to take this engine for AWS."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAAS_"))}
        return kept | CREDENTIALS | {"AWS_ENDPOINT_URL": self.url, "SAM_CLI_TELEMETRY": "0"}

    def client(self, service: str) -> Any:
        config = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}, max_pool_connections=32)
        keys = {name.lower(): CREDENTIALS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, config=config, **keys)


def why_not() -> str | None:
    """The reason why the engine cannot run here, or None."""
    if not PYTHON.exists():
        return "there is no .venv-cloud: `make cloud-test` sets it up"
    return sam_cli.why_not()


@contextmanager
def engine() -> Iterator[Engine]:
    """Runs MiniStack until the block ends. Raises RuntimeError with the end of its log if it does not start."""
    build_image()
    host, port = sam_cli.bridge_address(), _free_port()
    folder = Path(tempfile.mkdtemp(prefix="maas-cloud-"))
    running = Engine(f"http://{host}:{port}", folder / "engine.log")
    with running.log.open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, ROOT / "tests" / "cloud" / "engine"],
            env=running.environment | _settings(host, port, folder),
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests: they end what they run first
        )
        try:
            _wait(running, process)
            yield running
        finally:
            process.kill()  # it has nothing to keep, and would wait for its functions
            process.wait()
            _remove_containers(port)
            shutil.rmtree(folder, ignore_errors=True)


def _settings(host: str, port: int, folder: Path) -> dict[str, str]:
    return {
        "AUTH": "true",  # the roles' policies decide
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_PORT": str(_free_port()),
        "LAMBDA_EXECUTOR": "docker",
        "LAMBDA_STRICT": "1",  # never outside of a container
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": host,
        "MINISTACK_HOSTNAME": OWNER,
        "MINISTACK_IMAGE_PREFIX": PREFIX,
        "MINISTACK_REGION": REGION,
        "SFTP_PORT": str(_free_port()),
        "TMPDIR": str(folder),
    }


def build_image() -> None:
    """Lambda's image with the interface emulator that the SAM CLI brings: not every copy of the image has one."""
    (emulator,) = (ROOT / ".venv-sam").glob("lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(_DOCKERFILE)
        shutil.copy(emulator, Path(folder, "aws-lambda-rie"))
        command = ["docker", "build", "--quiet", "--tag", IMAGE, folder]
        subprocess.run(command, check=True, capture_output=True)


def _wait(running: Engine, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{running.url}/_ministack/health", timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise RuntimeError(f"MiniStack did not start:\n{running.log.read_text()[-2000:]}")


def _remove_containers(port: int) -> None:
    mark = f"label=ministack.instance={OWNER}:{port}"
    found = subprocess.run(["docker", "ps", "--all", "--quiet", "--filter", mark], capture_output=True, text=True)
    removals = [
        subprocess.Popen(["docker", "rm", "--force", "--volumes", one], stdout=subprocess.DEVNULL)
        for one in found.stdout.split()
    ]
    for removal in removals:
        removal.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
