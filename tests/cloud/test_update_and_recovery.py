"""A stack after `make deploy`: a new release under traffic, deletion, and another stack with the same data."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_local import intrinsics
from support import onnx_models
from support.cloud import deployment
from support.cloud.deployment import STACK, CloudStack
from support.cloud.engine import Engine
from support.sam_cli import BUILT

MODEL = "kept"
INPUT = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module", autouse=True)
def _pushed(deployed: CloudStack, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    path.write_bytes(onnx_models.linear())
    with deployment.client(deployed) as maas:
        maas.push(path, MODEL, alias="live")


class Traffic:
    """Requests without a pause and without retries; `seen` counts method, path and status."""

    CALLS = (("POST", f"/v2/models/{MODEL}/versions/live/infer", INPUT), ("GET", "/api/v1/models", None))

    def __init__(self, stack: CloudStack) -> None:
        self.seen: Counter[tuple[str, str, int]] = Counter()
        self._stack, self._ended = stack, threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._call, args=call) for call in self.CALLS]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _call(self, method: str, path: str, body: Any) -> None:
        headers = {"x-api-key": self._stack.api_key or ""}
        with httpx.Client(base_url=self._stack.url, headers=headers, timeout=60) as http:
            while not self._ended.is_set():
                try:
                    status = http.request(method, path, json=body).status_code
                except httpx.HTTPError:
                    status = 0
                self.seen[method, path, status] += 1


def live_versions(engine: Engine) -> dict[str, str]:
    """The version that the alias `live` of each function of the stack points to."""
    found = engine.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    names = [one["PhysicalResourceId"] for one in found if one["ResourceType"] == "AWS::Lambda::Function"]
    functions = engine.client("lambda")
    return {name: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names}


def test_no_request_fails_during_update(deployed: CloudStack) -> None:
    before = live_versions(deployed.cloud)
    traffic = Traffic(deployed)
    with traffic.running():
        deployment.deploy(deployed.cloud, InferenceMemory="2048")
        after = live_versions(deployed.cloud)
        moved = sum(traffic.seen.values())
        deadline = time.monotonic() + 60
        while sum(traffic.seen.values()) < moved + 10 and time.monotonic() < deadline:
            time.sleep(0.1)
    assert {status for *_, status in traffic.seen} == {200}, traffic.seen
    assert len(traffic.seen) == len(Traffic.CALLS) and sum(traffic.seen.values()) >= moved + 10
    assert before.keys() == after.keys() and all(int(after[name]) == int(before[name]) + 1 for name in before)


def test_same_name_finds_retained_data(deployed: CloudStack, tmp_path: Path) -> None:
    """What docs/operations.md says of a stack that is gone: import bucket and table, then deploy the whole template."""
    engine = deployed.cloud
    deployment.delete(engine)
    with pytest.raises(Exception, match="does not exist"):
        deployment.outputs(engine)
    import_data(engine, deployed)
    deployment.deploy(engine)
    again = deployment.described(engine)
    assert (again.table, again.bucket) == (deployed.table, deployed.bucket)
    headers = {"x-api-key": deployed.api_key or ""}  # the keys are in the table
    with httpx.Client(base_url=again.url, headers=headers, timeout=60) as http:
        answer = http.post(f"/v2/models/{MODEL}/versions/live/infer", json=INPUT)
        assert answer.status_code == 200, answer.text
        assert answer.json()["outputs"][0]["data"] == [6.0, 6.0]
    with deployment.client(again) as maas:
        path = tmp_path / "model.onnx"
        path.write_bytes(onnx_models.linear())
        numbers = [one.version for one in maas.versions.list(MODEL)]
        assert maas.push(path, MODEL).version == max(numbers) + 1


def import_data(engine: Engine, old: CloudStack) -> None:
    whole = intrinsics.load(BUILT.read_text())
    kept = {name: whole["Resources"][name] for name in ("Bucket", "Table")}
    template = {name: whole[name] for name in ("AWSTemplateFormatVersion", "Parameters", "Conditions")}
    identifiers = {"Bucket": {"BucketName": old.bucket}, "Table": {"TableName": old.table}}
    cloudformation = engine.client("cloudformation")
    cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName="adopt",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template | {"Resources": kept}),
        ResourcesToImport=[
            {
                "ResourceType": kept[name]["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": identifiers[name],
            }
            for name in kept
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(StackName=STACK, ChangeSetName="adopt")
    cloudformation.execute_change_set(StackName=STACK, ChangeSetName="adopt")
    cloudformation.get_waiter("stack_import_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
