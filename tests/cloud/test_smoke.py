"""`make aws-smoke` against the engine: every step works, and nothing is left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.aws.engine import ROOT
from support.cloud.costs import Billed, billed
from support.cloud.engine import Engine

SMOKE = ROOT / "tests" / "cloud" / "smoke.py"
pytestmark = pytest.mark.timeout(400)
REPORT = {"durationMs": 11.2, "billedDurationMs": 12, "memorySizeMB": 512, "maxMemoryUsedMB": 99}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (json.dumps({"time": "2026", "type": "platform.report", "record": {"metrics": REPORT}}), Billed(12, 512)),
        ("REPORT RequestId: a\tDuration: 11.20 ms\tBilled Duration: 12 ms\tMemory Size: 512 MB\t", Billed(12, 512)),
        (json.dumps({"level": "INFO", "message": "REPORT"}), None),
    ],
)
def test_reports_of_lambda(line: str, expected: Billed | None) -> None:
    assert billed(line) == expected


def names(engine: Engine) -> tuple[set[str], set[str], set[str]]:
    """Stacks, tables and buckets, but for those that SAM shares among all stacks."""
    stacks = engine.client("cloudformation").describe_stacks()["Stacks"]
    buckets = engine.client("s3").list_buckets()["Buckets"]
    return (
        {one["StackName"] for one in stacks if not one["StackName"].startswith("aws-sam-cli")},
        set(engine.client("dynamodb").list_tables()["TableNames"]),
        {one["Name"] for one in buckets if not one["Name"].startswith("aws-sam-cli")},
    )


def smoke(engine: Engine, *parameters: str) -> "subprocess.CompletedProcess[str]":
    environment = engine.environment | {"PYTHONPATH": os.fspath(Path(ROOT, "tests"))}
    return subprocess.run([sys.executable, SMOKE, *parameters], env=environment, capture_output=True, text=True)


def test_smoke_leaves_nothing(aws_engine: Engine) -> None:
    before = names(aws_engine)
    done = smoke(aws_engine, "CodeRollout=AllAtOnce")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a batch of 1,000 records … " in done.stdout and "US$" in done.stdout
    assert names(aws_engine) == before


def test_failed_smoke_leaves_nothing(aws_engine: Engine) -> None:
    before = names(aws_engine)
    done = smoke(aws_engine, "Auth=jwt")
    assert done.returncode == 1 and "Auth jwt needs JwtIssuer" in done.stdout, done.stdout + done.stderr
    assert names(aws_engine) == before
