"""The local stack whose functions have the roles of template.yaml, behind `iam_gate`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from maas_local import intrinsics
from maas_local.stack import LocalStack
from support.aws import iam_policies
from support.aws.engine import CREDENTIALS, ROOT, TEMPLATE
from support.aws.iam_gate import for_moto

RECORD = "calls.jsonl"
HOLD_SECONDS = 6
MINUTE_SECONDS = 2.0  # of the schedules, so that rollouts take seconds


@contextmanager
def stack(folder: Path) -> Iterator[LocalStack]:
    """Starts the stack. The functions' calls are in `folder / RECORD`, one JSON line each."""
    with _gate(folder / RECORD) as url, ExitStack() as ending:
        template = _with_roles(folder, {name: _assume(url, name) for name in iam_policies.roles()})
        with pytest.MonkeyPatch.context() as patch:  # other tests of this process start stacks, too
            patch.setenv("AWS_ENDPOINT_URL", url)
            running = ending.enter_context(LocalStack.start(template, minute_seconds=MINUTE_SECONDS))
        yield running


def environment(folder: Path, function: str) -> dict[str, str]:
    """The credentials of the function's role, as environment variables."""
    document = yaml.safe_load((folder / TEMPLATE.name).read_text())
    variables = document["Resources"][function]["Properties"]["Environment"]["Variables"]
    return {name: value for name, value in variables.items() if name.startswith("AWS_")}


@contextmanager
def _gate(record: Path) -> Iterator[str]:
    record.touch()
    paths = os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "support.aws.iam_gate", "127.0.0.1", str(record)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(
        command, env=environment | {"PYTHONPATH": paths}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(10)


def _assume(url: str, function: str) -> dict[str, str]:
    """Creates the function's role as in the template; returns its credentials."""

    def client(service: str) -> Any:
        keys = {name.lower(): CREDENTIALS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return boto3.client(service, endpoint_url=url, region_name=intrinsics.REGION, **keys)

    iam = client("iam")
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName=function, AssumeRolePolicyDocument=trust)
    policy = json.dumps(for_moto(iam_policies.roles()[function]))
    iam.put_role_policy(RoleName=function, PolicyName="own", PolicyDocument=policy)
    found = client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName=function)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


def _with_roles(folder: Path, credentials: dict[str, dict[str, str]]) -> Path:
    """A copy of template.yaml whose functions also have these variables, and whose killed workers are soon replaced."""
    document = intrinsics.load(TEMPLATE.read_text())
    credentials["WorkerFunction"]["MAAS_HOLD_SECONDS"] = str(HOLD_SECONDS)
    for function, variables in credentials.items():
        document["Resources"][function]["Properties"]["Environment"]["Variables"] |= variables
    (folder / "functions").symlink_to(ROOT / "functions")
    path = folder / TEMPLATE.name
    path.write_text(yaml.safe_dump(document))
    return path
