"""AWS's resource schemas hold for what is deployed: the engine only names CodeDeploy's resources and some alarms."""

import json
import subprocess
from pathlib import Path

import pytest

from conftest import skip_or_fail
from support.aws.engine import ROOT, TEMPLATE
from support.cloud.engine import PYTHON
from support.cloud.variants import OTHER_STACKS

RELEASE = {"Release": "1764161000"}


def check(folder: Path, template: str, stacks: dict[str, dict[str, str]]) -> "subprocess.CompletedProcess[str]":
    if not PYTHON.exists():
        skip_or_fail("there is no .venv-cloud: `make cloud-test` sets it up")
    (folder / "stacks.json").write_text(json.dumps(stacks))
    (folder / "template.yaml").write_text(template)
    command = [PYTHON, ROOT / "tests" / "cloud" / "schemas.py", folder / "template.yaml", folder / "stacks.json"]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_variant_fits_the_schemas(tmp_path: Path) -> None:
    stacks = {name: values | RELEASE for name, values in OTHER_STACKS.items()}
    done = check(tmp_path, TEMPLATE.read_text(), {"default": RELEASE} | stacks)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ("ComparisonOperator: GreaterThanThreshold", "ComparisonOperator: Greater", "'Greater'"),
        ("MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 1209601", "1209601"),
        ("ReturnData: false", "ReturnsData: false", "ReturnsData"),
    ],
)
def test_misfit_is_found(tmp_path: Path, right: str, wrong: str, named: str) -> None:
    template = TEMPLATE.read_text()
    assert right in template
    done = check(tmp_path, template.replace(right, wrong), {"default": RELEASE})
    assert done.returncode == 1 and named in done.stdout, done.stdout + done.stderr
