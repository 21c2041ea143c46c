"""A stack of the built template on an engine, deployed with the commands that README.md names."""

import subprocess
from dataclasses import dataclass

import httpx

from maas_client import MaasClient
from maas_local.intrinsics import REGION
from support.aws.engine import ROOT
from support.cloud.engine import Engine

STACK = "maas"
MAAS = ROOT / ".venv" / "bin" / "maas"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
DEPLOY_SECONDS = 240


class Refused(Exception):
    """A command failed; the message is the end of what it said."""


@dataclass(frozen=True)
class CloudStack:
    """A deployed stack. `url` is its API, `cloud` the engine, `api_key` a key of scope admin if `Auth` is keys."""

    url: str
    cloud: Engine
    api_key: str | None
    table: str
    bucket: str

    @property
    def environment(self) -> dict[str, str]:
        names = {"MAAS_TABLE": self.table, "MAAS_BUCKET": self.bucket}
        return self.cloud.environment | names | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


def deploy(engine: Engine, name: str = STACK, **parameters: str) -> None:
    """`make deploy` of what is built already. Raises Refused."""
    given = " ".join(f"{key}={value}" for key, value in parameters.items() | {("AwsEndpointUrl", engine.url)})
    arguments = [f"STACK={name}", "ARGS=--no-confirm-changeset", f"PARAMETERS={given}"]
    run(engine, "make", "--old-file=build", "deploy", *arguments)


def delete(engine: Engine, name: str = STACK) -> None:
    run(engine, str(SAM), "delete", "--no-prompts", "--stack-name", name, "--region", REGION)


def outputs(engine: Engine, name: str = STACK) -> dict[str, str]:
    (found,) = engine.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def described(engine: Engine, name: str = STACK, *, key: bool = True) -> CloudStack:
    """What runs under this name, with a new key."""
    found = outputs(engine, name)
    api = httpx.URL(found["Url"]).host.partition(".")[0]
    # MiniStack answers for an API under this path; https://API.execute-api.REGION.amazonaws.com is AWS's alone.
    url = f"{engine.url}/_aws/execute-api/{api}/$default"
    api_key = run(engine, str(MAAS), "keys", "bootstrap", "--stack", name).strip() if key else None
    return CloudStack(url, engine, api_key, found["TableName"], found["BucketName"])


def client(stack: CloudStack) -> MaasClient:
    return MaasClient(stack.url, stack.api_key)


def run(engine: Engine, *command: str) -> str:
    """Its standard output. Raises Refused."""
    done = subprocess.run(
        command, cwd=ROOT, env=engine.environment, capture_output=True, text=True, timeout=DEPLOY_SECONDS
    )
    if done.returncode:
        raise Refused(f"{' '.join(command)}: {done.stdout[-3000:]}\n{done.stderr[-1000:]}")
    return done.stdout
