"""A few hundred broken models; `make bench` inspects ten thousand."""

import json
import subprocess
import sys

import pytest

from support.aws.engine import ROOT


@pytest.mark.full
def test_broken_models_are_rejected_or_described_truly() -> None:
    command = [sys.executable, "-m", "support.fuzzing.models", "300", "1"]
    done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, check=True)
    counted = json.loads(done.stdout)
    assert sum(counted.values()) == 300
    assert {"lied", "failed"}.isdisjoint(counted), counted
    assert counted["rejected"] > 100
