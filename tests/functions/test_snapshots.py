"""SnapStart: environments restored from one snapshot share the state after the import."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.aws.engine import ROOT, Cloud
from support.events import EVENTS, seed

HANDLERS = {
    "management": "management_list_models",
    "inference": "inference_infer",
    "authorizer": "authorizer_key",
}
NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


def run(function: str, script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT / "functions" / function,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("function", HANDLERS)
def test_import_connects_to_nothing(function: str, cloud: Cloud) -> None:
    """A snapshot must not contain connections, cached data or credentials, which are not set during the import."""
    frozen = {name: value for name, value in cloud.environment.items() if not name.startswith("AWS_")} | NOWHERE
    script = (
        "import socket\n"
        "def refuse(*arguments): raise AssertionError(f'connects to {arguments}')\n"
        "socket.socket.connect = refuse\n"
        "import app\n"
    )
    run(function, script, frozen | {"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"})


@pytest.fixture
def credentials_url() -> Iterator[str]:
    """The credentials endpoint of functions with SnapStart: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": "testing", "SecretAccessKey": "testing", "Token": "testing", "Expiration": later}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(keys).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/credentials"
        server.shutdown()


@pytest.mark.full
@pytest.mark.parametrize(("function", "event"), HANDLERS.items())
def test_two_environments_of_one_snapshot(function: str, event: str, cloud: Cloud, credentials_url: str) -> None:
    """A fork stands for a restore: the same memory twice. The environment variables have no credentials."""
    seed(cloud)
    frozen = {name: value for name, value in cloud.environment.items() if "ACCESS_KEY" not in name}
    script = (
        "import json, os, sys\n"
        "from types import SimpleNamespace\n"
        "import app\n"
        f"event = json.load(open({str(EVENTS / event)!r} + '.json'))\n"
        "context = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000, aws_request_id='one')\n"
        "for _ in range(2):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        answer = app.lambda_handler(event, context)\n"
        "        sys.stdout.flush()\n"
        "        os._exit(0 if answer.get('statusCode') == 200 or answer.get('isAuthorized') else 1)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
    )
    lines = run(function, script, frozen | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials_url}).splitlines()
    assert len(lines) == len(set(lines)) == (0 if function == "authorizer" else 2)  # the authorizer logs no requests


def test_retry_pauses_differ_between_environments() -> None:
    script = (
        "import os, random, sys\n"
        "from maas.aws import signed\n"
        "for _ in range(2):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        print(signed._random.uniform(0, 1), flush=True)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
    )
    first, second = run("inference", script, dict(os.environ)).split()
    assert first != second
