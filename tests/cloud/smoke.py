"""`make aws-smoke`: deploys a stack of its own, drives it, deletes all of it, and prints what that cost.

Uses the AWS credentials and region that the AWS CLI would; AWS_ENDPOINT_URL points it at an emulator. PARAMETERS are
those of `make deploy`. It ends with an error at the first step that fails, and deletes the stack then, too.
"""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np

from maas_client import MaasClient, NotAllowed
from support import onnx_models
from support.cloud import deployment, leftovers
from support.cloud.costs import lambda_costs
from support.cloud.deployment import CloudStack

MODEL = "smoke"
MONTHLY_US_DOLLARS = 4.7  # alarms and dashboard: docs/operations.md


@dataclass(frozen=True)
class Account:
    """The caller's; `url` is empty for AWS itself."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def client(self, service: str) -> Any:
        return boto3.client(service)


def drive(stack: CloudStack, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Names of steps, and what each does; a step raises if the stack does not do what it should."""
    path, records = folder / "model.onnx", folder / "records.jsonl"
    path.write_bytes(onnx_models.linear())
    records.write_text("".join(json.dumps({"x": [number, 1, 1]}) + "\n" for number in range(1000)))
    x, y = np.array([[1, 2, 3]], np.float32), [[6.0, 6.0]]
    with deployment.client(stack) as maas:
        yield "push a model until it is READY", lambda: maas.push(path, MODEL, alias="production")
        yield "first inference, cold", lambda: equal(maas.infer(MODEL, {"x": x}, "production")["y"].tolist(), y)
        yield "second inference", lambda: equal(maas.infer(MODEL, {"x": x}, "production")["y"].tolist(), y)
        yield "refuse an unknown key", lambda: refuse(stack)
        yield "inference later", lambda: equal(maas.jobs.answer(maas.infer_later(MODEL, {"x": x}))["y"].tolist(), y)
        yield "a batch of 1,000 records", lambda: equal(maas.batch(MODEL, records, "production", wait=True).status)
        yield "delete the model", lambda: equal(maas.models.delete(MODEL).status, "DELETED")
        yield "restore it", lambda: equal(maas.models.restore(MODEL).status, "READY")
        yield "purge it", lambda: (maas.models.delete(MODEL), equal(maas.models.purge(MODEL), True))


def equal(found: object, expected: object = "SUCCEEDED") -> None:
    if found != expected:
        raise AssertionError(f"the answer is {found}, expected {expected}")


def refuse(stack: CloudStack) -> None:
    with MaasClient(stack.url, f"maas_{'0' * 16}_{'0' * 64}") as stranger:
        try:
            stranger.models.list()
        except NotAllowed:
            return
    raise AssertionError("the API answered a caller with an unknown key")


@contextmanager
def step(name: str) -> Iterator[None]:
    begun = time.monotonic()
    print(f"{name} … ", end="", flush=True)
    yield
    print(f"{time.monotonic() - begun:.1f} s")


def main(parameters: dict[str, str]) -> int:
    account, name = Account(os.environ.get("AWS_ENDPOINT_URL", "")), f"maas-smoke-{uuid.uuid4().hex[:8]}"
    begun = time.monotonic()
    failure = ""
    try:
        with step(f"deploy {name}"):
            deployment.deploy(account, name, **parameters)
        with step("first key"):
            stack = deployment.described(account, name)
        with tempfile.TemporaryDirectory() as folder:
            for does, act in drive(stack, Path(folder)):
                with step(does):
                    act()
        with step("deploy again, with another parameter"):
            deployment.deploy(account, name, **parameters | {"InferenceMemory": "2048"})
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        print(f"failed\n{failure}")
    costs = lambda_costs(account, name)
    with step(f"delete {name}, its bucket and its table"):
        leftovers.delete_all(account, name)
    hours = (time.monotonic() - begun) / 3600
    print(f"Lambda: {costs}")
    print(
        f"Alarms and dashboard for {hours:.2f} h: US$ {hours * MONTHLY_US_DOLLARS / 720:.4f}. The rest is below a cent."
    )
    return bool(failure)


if __name__ == "__main__":
    sys.exit(main(dict(one.split("=", 1) for one in sys.argv[1:])))
