"""Our extension under AWS's own Extensions API: the emulator that the SAM CLI puts into its containers, without one.

It holds the answer back until the extension is done, where Lambda sends it at once.
"""

import platform
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import skip_or_fail
from support.aws.engine import ROOT

MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "x86_64")
INVOKE = "/2015-03-31/functions/function/invocations"
PATIENCE_SECONDS = 60
RUNTIME = """
import http.client, os, sys, time
from maas.aws.after_answer import AfterAnswer

def say(what):
    with open(sys.argv[1], "a") as story:
        story.write(what + "\\n")

after = AfterAnswer.start()
after.every(3600, lambda: say("periodic"))

def handler(event, context):
    after.add(lambda: (time.sleep(0.1), say("called")))

respond = after.follows(handler)
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    event = connection.getresponse()
    event.read()
    respond(event, None)
    path = f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response"
    say("answered")
    connection.request("POST", path, b"{}")
    connection.getresponse().read()
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The process, its address, and the file of what happened."""
    found = next(ROOT.glob(f".venv-sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{MACHINE}"), None)
    if found is None:
        skip_or_fail("the SAM CLI is not there: make .venv-sam/.done")
    program, story = tmp_path / "emulator", tmp_path / "story"
    shutil.copyfile(found, program)  # type: ignore[arg-type]
    program.chmod(0o755)
    (tmp_path / "runtime.py").write_text(RUNTIME)
    address, api = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    options = ["--runtime-interface-emulator-address", address, "--runtime-api-address", api]
    arguments = [program, *options, sys.executable, tmp_path / "runtime.py", story]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process, address, story
        process.kill()


def _invoke(address: str) -> bytes:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with suppress(urllib.error.URLError, ConnectionError):  # before it listens
            answer = urllib.request.urlopen(f"http://{address}{INVOKE}", b"{}", timeout=PATIENCE_SECONDS)
            content: bytes = answer.read()
            return content
        time.sleep(0.05)
    raise TimeoutError


def test_emulator_waits_for_the_calls_and_sends_sigterm(
    emulator: tuple[subprocess.Popen[bytes], str, Path],
) -> None:
    process, address, story = emulator
    assert [_invoke(address) for _ in range(2)] == [b"{}", b"{}"]
    told = story.read_text().split()
    assert sorted(told) == ["answered", "answered", "called", "called", "periodic"]
    assert told.index("called") < len(told) - 1 - told[::-1].index("answered")  # the next event came after the call
    process.terminate()
    process.wait(PATIENCE_SECONDS)
    assert story.read_text().split() == [*told, "periodic"]
