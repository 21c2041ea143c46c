"""`sam local` on the built template, with moto on an address that its containers reach.

As a command, `python -m support.sam_cli FUNCTION EVENT` invokes a function as the tests do: model `example` is there,
version 1 READY, version 2 uploaded.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from maas.settings import Settings
from maas_local.cloud import LocalCloud
from maas_local.events import EventPump
from maas_local.queues import QueuePump
from maas_local.resources import NAME
from maas_local.stack import LocalStack
from maas_local.template import Template
from support.aws.engine import CREDENTIALS, ROOT, TEMPLATE, Cloud
from support.events import EXPORTS, seed

BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
# API Gateway passes binary bodies to an HTTP API's functions in base64 without being told; `sam local` has to be.
BINARY_BODIES = r"\g<0>\n\g<1>x-amazon-apigateway-binary-media-types: ['*/*']"
START_SECONDS = 120
INVOKE_SECONDS = 120
Invoke = Callable[[str, dict[str, Any]], Any]


def why_not() -> str | None:
    """The reason why `sam local` cannot run here, or None."""
    if not _sam():
        return "there is no SAM CLI: `make sam-test` installs it"
    if not BUILT.exists():
        return "nothing is built: run `make sam-test`"
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        return "no Docker engine answers"
    return None


def _sam() -> str | None:
    return os.environ.get("SAM") or shutil.which("sam")


def bridge_address() -> str:
    """The address that containers have for this machine."""
    inspect = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
    return subprocess.run(inspect, capture_output=True, text=True, check=True).stdout.strip() or "172.17.0.1"


@contextmanager
def cloud() -> Iterator[LocalCloud]:
    """moto's server on every interface, advertised by an address that containers reach."""
    with LocalCloud.start(TEMPLATE, host="0.0.0.0", advertised_host=bridge_address()) as made:
        yield made


class Sam:
    """Commands of `sam local` against one cloud."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self._environment = {**os.environ, **cloud.credentials, "SAM_CLI_TELEMETRY": "0"}
        self._environment.pop("AWS_ENDPOINT_URL", None)
        self._folder = Path(tempfile.mkdtemp(prefix="sam-"))
        variables = self._folder / "variables.json"
        variables.write_text(json.dumps({"Parameters": {"MAAS_TABLE": NAME, "MAAS_BUCKET": NAME}}))
        template = BUILT.with_name("template-local.yaml")  # beside the other, as it names folders
        text, found = re.subn(r"^( +)openapi: .+$", BINARY_BODIES, BUILT.read_text(), flags=re.MULTILINE)
        assert found == 1, "the API's document is not where it was"
        template.write_text(text)
        self._options = [
            "--template",
            str(template),
            "--skip-pull-image",
            "--env-vars",
            str(variables),
            "--parameter-overrides",
            f"AwsEndpointUrl={cloud.url}",
        ]

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """The function's result. Raises RuntimeError with the output of `sam` if there is none."""
        command = [_sam() or "sam", "local", "invoke", function, "--event", "-", *self._options]
        done = subprocess.run(
            command,
            input=json.dumps(event),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=INVOKE_SECONDS,
        )
        if done.returncode or not done.stdout.strip():
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout.strip().splitlines()[-1])

    @contextmanager
    def api(self) -> Iterator[str]:
        """The HTTP API under `sam local start-api`; its URL."""
        with self._running("start-api", "--warm-containers", "EAGER") as url:
            yield url

    @contextmanager
    def functions(self) -> Iterator[Invoke]:
        """All functions under `sam local start-lambda`, kept warm: the first event waits for a container."""
        with self._running("start-lambda", "--warm-containers", "LAZY") as url:
            lambda_ = boto3.client("lambda", endpoint_url=url, config=Config(read_timeout=INVOKE_SECONDS))

            def invoke(function: str, event: dict[str, Any]) -> Any:
                answer = lambda_.invoke(FunctionName=function, Payload=json.dumps(event))
                result = json.load(answer["Payload"])
                if "FunctionError" in answer or (isinstance(result, dict) and "errorType" in result):
                    raise RuntimeError(result)
                return result

            yield invoke

    @contextmanager
    def _running(self, command: str, *options: str) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        arguments = [_sam() or "sam", "local", command, "--port", str(port), *options, *self._options]
        log = self._folder / f"{command}.log"
        with log.open("w") as output:
            process = subprocess.Popen(arguments, env=self._environment, stdout=output, stderr=output)
            try:
                _wait(port, process, log)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.send_signal(signal.SIGINT)  # `sam` then removes its containers
                process.wait(60)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"sam local did not start:\n{log.read_text()}")


@contextmanager
def stack() -> Iterator[LocalStack]:
    """The whole system: the API under `sam local start-api`, events through `sam local start-lambda`."""
    with cloud() as made, ExitStack() as ending:
        sam = Sam(made)
        url = ending.enter_context(sam.api())
        invoke, template = ending.enter_context(sam.functions()), Template.load(TEMPLATE)
        for pump in (EventPump(made, template, invoke), QueuePump(made, template, invoke)):
            ending.callback(pump.stop)
            pump.start()
        yield LocalStack(url, made, made.admin_key(template))


@contextmanager
def seeded() -> Iterator[Sam]:
    """`sam local` with the data that the files of events/ refer to."""
    with cloud() as made, tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            table=NAME,
            bucket=NAME,
            queue_url="BatchShards",
            async_queue_url="AsyncRequests",
            endpoint_url=made.url,
            tmp_dir=folder,
        )
        seed(Cloud(settings), EXPORTS)
        yield Sam(made)


def main(function: str, event: Path) -> None:
    if reason := why_not():
        sys.exit(reason)
    os.environ.update(CREDENTIALS)
    with seeded() as sam:
        print(json.dumps(sam.invoke(function, json.loads(event.read_text())), indent=2))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
