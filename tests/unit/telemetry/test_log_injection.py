"""Text of others in logs stays one line of JSON, and acts on no terminal."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from maas.telemetry.observability import LONGEST_TEXT
from maas.telemetry.request_log import PATH_LIMIT, observed

HOSTILE = [
    'x"}\n{"level":"ERROR","message":"forged"}',
    "\r\x00\x08\x7f",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b2J\x85",
    "\u2028\u2029\u202e\u2066\ufeff",
    "\ud800 \udfff",
    "a" * 1_000_000,
]
WRITE = (
    "import sys, json; from maas.telemetry.observability import logger\n"
    "text = json.loads(sys.stdin.read())\n"
    "logger().info(text, extra={'key': text, 'reason': text})\n"
    "try:\n    raise ValueError(text)\n"
    "except ValueError:\n    logger().exception(text)\n"
)


def check_line(line: str) -> dict[str, Any]:
    assert line.endswith("\n") and line[:-1].isprintable(), line[:300]
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize("text", HOSTILE, ids=lambda one: ascii(one[:12]))
def test_paths_in_the_request_log(capsys: pytest.CaptureFixture[str], text: str) -> None:
    handler = observed(lambda event, context: {"statusCode": 404, "body": ""})
    for field in ("rawPath", "path"):
        event = {field: f"/{text}", "requestContext": {"http": {"method": "GET"}}}
        handler(event, SimpleNamespace(aws_request_id="id"))
        line = check_line(capsys.readouterr().out)
        assert (line["status"], line["level"]) == (404, "INFO")
        assert len(line["path"]) <= PATH_LIMIT * 10


@pytest.mark.parametrize("text", HOSTILE, ids=lambda one: ascii(one[:12]))
def test_texts_in_other_lines(text: str) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE], input=json.dumps(text), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    said, failed = done.stdout.splitlines(keepends=True)
    line = check_line(said)
    assert line["key"] == line["reason"] == line["message"] == text[:LONGEST_TEXT]
    assert check_line(failed)["exception_name"] == "ValueError"
    assert max(len(said), len(failed)) < 10 * LONGEST_TEXT
