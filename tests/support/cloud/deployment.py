"""A stack of the built template on an engine, deployed with the commands that README.md names."""

import subprocess
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from maas_client import MaasClient
from maas_local.intrinsics import REGION
from support.aws.engine import ROOT

STACK = "maas"
MAAS = ROOT / ".venv" / "bin" / "maas"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
DEPLOY_SECONDS = 1800  # AWS needs minutes


class Target(Protocol):
    """AWS, or an emulator at `url`; for AWS itself it is empty."""

    @property
    def url(self) -> str: ...

    @property
    def environment(self) -> dict[str, str]: ...

    def client(self, service: str) -> Any: ...


class Refused(Exception):
    """A command failed; the message is the end of what it said."""


@dataclass(frozen=True)
class CloudStack:
    """A deployed stack. `url` is its API, `cloud` where it is, `api_key` a key of scope admin if `Auth` is keys."""

    url: str
    cloud: Target
    api_key: str | None
    table: str
    bucket: str

    @property
    def environment(self) -> dict[str, str]:
        names = {"MAAS_TABLE": self.table, "MAAS_BUCKET": self.bucket}
        return self.cloud.environment | names | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


def deploy(target: Target, name: str = STACK, **parameters: str) -> None:
    """`make deploy` of what is built already. Raises Refused."""
    given = " ".join(f"{key}={value}" for key, value in parameters.items())
    arguments = [f"STACK={name}", "ARGS=--no-confirm-changeset", f"PARAMETERS={given}"]
    run(target, "make", "--old-file=build", "deploy", *arguments)


def delete(target: Target, name: str = STACK) -> None:
    region = target.client("cloudformation").meta.region_name
    run(target, str(SAM), "delete", "--no-prompts", "--stack-name", name, "--region", region)


def outputs(target: Target, name: str = STACK) -> dict[str, str]:
    (found,) = target.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def described(target: Target, name: str = STACK, *, key: bool = True) -> CloudStack:
    """What runs under this name, with a new key."""
    found = outputs(target, name)
    url = found["Url"]
    if target.url:  # the name in `url` leads to AWS; MiniStack answers under this path
        url = f"{target.url}/_aws/execute-api/{httpx.URL(url).host.partition('.')[0]}/$default"
    api_key = run(target, str(MAAS), "keys", "bootstrap", "--stack", name).strip() if key else None
    return CloudStack(url, target, api_key, found["TableName"], found["BucketName"])


def client(stack: CloudStack) -> MaasClient:
    return MaasClient(stack.url, stack.api_key)


def run(target: Target, *command: str) -> str:
    """Its standard output. Raises Refused."""
    done = subprocess.run(
        command, cwd=ROOT, env=target.environment, capture_output=True, text=True, timeout=DEPLOY_SECONDS
    )
    if done.returncode:
        raise Refused(f"{' '.join(command)}: {done.stdout[-3000:]}\n{done.stderr[-1000:]}")
    return done.stdout
