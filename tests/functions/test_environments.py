"""Counters of real execution environments: what is there when they end in order, and when they are killed."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maas import bootstrap
from maas.metrics.counts import Counts
from maas_local.functions import Functions
from maas_local.template import Template
from support import onnx_models, wire
from support.aws.engine import CREDENTIALS, TEMPLATE, Cloud

BODY = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
REQUESTS, AT_ONCE = 40, 4


async def _send(functions: Functions, count: int) -> None:
    event = wire.event("/v2/models/m/infer", json.dumps(BODY).encode())

    async def some(number: int) -> None:
        for _ in range(number):
            assert (await functions.invoke("InferenceFunction", event))["statusCode"] == 200

    await asyncio.gather(*(some(count // AT_ONCE) for _ in range(AT_ONCE)))


def counted(cloud: Cloud) -> int:
    now = datetime.now(UTC)
    found = bootstrap.metrics(cloud.settings).counts("m", None, now - timedelta(minutes=9), now + timedelta(minutes=1))
    return Counts.sum(found.values()).requests


PATIENT = """
import sys

from maas.aws import after_answer

after_answer.END_SECONDS = 60  # instead of the time that Lambda gives
sys.path.insert(0, {folder!r})
from app import lambda_handler
"""


def run(cloud: Cloud, body: Callable[[Functions], Any]) -> None:
    """`body` with environments of the inference function, which are ended in order after it, each in its own time."""
    known = Template.load(TEMPLATE, {"AwsEndpointUrl": cloud.settings.endpoint_url}).functions()["InferenceFunction"]
    folder = Path(cloud.settings.tmp_dir)
    folder.mkdir(exist_ok=True)
    (folder / "patient.py").write_text(PATIENT.format(folder=str(known.folder)))
    environment = known.environment | cloud.environment
    function = replace(known, environment=environment, folder=folder, handler="patient.lambda_handler")

    async def main() -> None:
        functions = Functions({function.name: function}, CREDENTIALS, None)
        try:
            await body(functions)
        finally:
            await functions.stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maas_local.functions.END_SECONDS", 60)
        asyncio.run(main())


@pytest.fixture
def served(cloud: Cloud) -> Cloud:
    cloud.create_model("m")
    assert cloud.deploy("m", onnx_models.linear()).status == "READY"
    return cloud


@pytest.mark.full
def test_all_requests_are_counted_when_environments_end(served: Cloud) -> None:
    run(served, lambda functions: _send(functions, REQUESTS))
    assert counted(served) == REQUESTS


@pytest.mark.full
def test_killed_environments_lose_only_what_they_had_not_written(served: Cloud) -> None:
    """Each writes with its first answer, then every ten seconds: what came before a write is safe."""

    async def body(functions: Functions) -> None:
        await _send(functions, REQUESTS)
        end = time.monotonic() + 60
        while counted(served) < REQUESTS:  # without another request: the thread keeps time outside of Lambda
            assert time.monotonic() < end
            await asyncio.sleep(0.5)
        await _send(functions, REQUESTS)
        for environment in functions._idle["InferenceFunction"]:
            environment.kill()

    run(served, body)
    assert REQUESTS <= counted(served) <= 2 * REQUESTS
