"""`maas local --memory` as a process of its own, as its users run it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.aws.engine import ROOT

START_SECONDS = 120
_COMMAND = [sys.executable, "-u", "-c", "from maas_client.cli import app; app()", "local", "--memory", "--port", "0"]
_URL, _KEY = re.compile(r"is on (http://\S+)"), re.compile(r"MAAS_API_KEY=(\S+)")


@dataclass(frozen=True)
class Running:
    """`api_key` is of scope admin."""

    url: str
    api_key: str


@contextmanager
def maas_local() -> Iterator[Running]:
    """From the time that it answers to the block's end. Raises RuntimeError if it does not start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAAS_"))}
    with subprocess.Popen(_COMMAND, cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        too_late = threading.Timer(START_SECONDS, process.kill)
        too_late.start()
        try:
            said = ""
            while not (key := _KEY.search(said)):
                line = process.stdout.readline().decode()
                if not line:
                    raise RuntimeError(f"maas local did not start within {START_SECONDS} s: {said}")
                said += line
            too_late.cancel()
            url = _URL.search(said)
            assert url
            threading.Thread(target=process.stdout.read, daemon=True).start()  # or it would block when the pipe is full
            yield Running(url[1], key[1])
        finally:
            too_late.cancel()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
