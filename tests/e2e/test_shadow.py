"""Shadow and capture of an alias: what callers get, and what is counted and kept."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from maas import bootstrap
from maas.metrics.counts import Counts
from maas.settings import Settings
from maas_client import MaasClient
from maas_local.stack import LocalStack
from support import onnx_models
from support.system import Bucket, kill_environments

NAME = "sh-linear"
X = [[1.0, 2.0, 3.0]]
FOLLOWED_SECONDS = 3.5  # environments cache an alias for 3
COUNTED_SECONDS = 60  # the queue's batches, and the next flush of counters
ASKED = 12


@pytest.fixture(scope="module", autouse=True)
def model(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Version 2 answers otherwise than version 1, version 3 as that does."""
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    for weight in (1.0, 2.0, 1.0):
        path.write_bytes(onnx_models.linear(weight))
        maas.push(path, NAME)


def put(http: httpx.Client, model: str, alias: str, **body: Any) -> dict[str, Any]:
    answer = http.put(f"/api/v1/models/{model}/aliases/{alias}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(http: httpx.Client, alias: str, model: str = NAME, x: Any = X) -> tuple[float, Any]:
    """Seconds, and the first output."""
    tensor = {"name": "x", "shape": list(np.shape(x)), "datatype": "FP32", "data": x}
    if model != NAME:
        tensor = {"name": "count", "shape": [1], "datatype": "INT64", "data": x}
    started = time.perf_counter()
    answer = http.post(f"/v2/models/{model}/versions/{alias}/infer", json={"inputs": [tensor]})
    assert answer.status_code == 200, answer.text
    assert answer.headers["maas-version"] == "1"
    return time.perf_counter() - started, answer.json()["outputs"][0]["data"]


def counted(system: LocalStack, model: str, alias: str, version: int) -> Counts:
    where = system.environment
    settings = Settings(where["MAAS_TABLE"], where["MAAS_BUCKET"], endpoint_url=where.get("AWS_ENDPOINT_URL", ""))
    now, hour = datetime.now(UTC), timedelta(hours=1)
    return bootstrap.metrics(settings).counts(model, alias, now - hour, now + hour).get(version, Counts())


def counted_within(
    system: LocalStack, model: str, alias: str, version: int, samples: int, wake: Callable[[], object] = lambda: None
) -> Counts:
    """Once so many samples of a shadow are accounted for."""
    deadline = time.monotonic() + COUNTED_SECONDS
    while True:
        wake()
        found = counted(system, model, alias, version)
        if found.shadow_compared + found.shadow_dropped >= samples or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


@pytest.mark.parametrize(("shadow", "differ"), [(2, True), (3, False)])
@pytest.mark.full
def test_shadow_counts_what_differs(
    http: httpx.Client, system: LocalStack, bucket: Bucket, shadow: int, differ: bool
) -> None:
    alias = f"with-{shadow}"
    put(http, NAME, alias, version=1)
    _, plain = ask(http, alias)
    made = put(http, NAME, alias, shadow={"version": shadow, "percent": 100})
    assert made["shadow"]["compare"] == {"rtol": 1e-3, "atol": 1e-5}
    time.sleep(FOLLOWED_SECONDS)
    assert all(ask(http, alias)[1] == plain for _ in range(ASKED))
    large = ask(http, alias, x=np.ones((100_000, 3)).tolist())[1]  # through the bucket
    assert len(large) == 200_000
    put(http, NAME, "other", version=1, shadow={"version": shadow, "percent": 100})
    # Lambda stops an environment between its events: only another one makes it write what it counted last.
    found = counted_within(system, NAME, alias, shadow, ASKED + 1, wake=lambda: ask(http, "other"))
    assert (found.shadow_compared, found.shadow_dropped) == (ASKED + 1, 0)
    assert found.shadow_mismatched == (ASKED + 1 if differ else 0)
    assert (found.largest_difference > 0) is differ
    assert bucket.keys("shadow/") == []


def test_capture_and_replay(http: httpx.Client, bucket: Bucket, run: Callable[..., str]) -> None:
    put(http, NAME, "captured", version=1, capture={"percent": 100, "days": 7})
    time.sleep(FOLLOWED_SECONDS)
    sent = [[[float(index), 0.0, 1.0]] for index in range(ASKED)]
    answers = [ask(http, "captured", x=x)[1] for x in sent]
    deadline = time.monotonic() + COUNTED_SECONDS
    lines: dict[str, Any] = {}
    while len(lines) < ASKED and time.monotonic() < deadline:
        for key in bucket.keys(f"capture/{NAME}/1/"):
            for line in gzip.decompress(bucket.get(key) or b"").splitlines():
                found = json.loads(line)
                lines[found["id"]] = found
    assert len(lines) == ASKED
    in_order = sorted(lines.values(), key=lambda line: line["inputs"][0]["data"])
    assert [line["outputs"][0]["data"] for line in in_order] == answers
    assert {(line["alias"], line["version"]) for line in lines.values()} == {("captured", 1)}
    assert all(line["caller"].startswith("key:") for line in lines.values())
    assert "Bearer" not in str(lines)
    hour = f"{datetime.now(UTC) - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
    listed = json.loads(run(f"capture ls {NAME}@1 --from {hour} --json"))
    assert sum(file["size_bytes"] for file in listed) > 0
    got = [json.loads(line) for line in run(f"capture get {NAME}@1 --from {hour}").splitlines()]
    assert [line for line in got if line["alias"] == "captured"] == sorted(lines.values(), key=lambda line: line["at"])
    same = json.loads(run(f"replay {NAME}@1 --against {NAME}@3 --from {hour} --json"))
    assert (same["compared"], same["mismatched"], same["skipped"]) == (len(got), 0, 0)
    other = run(f"replay {NAME}@1 --against {NAME}@2 --from {hour}", fails=1)
    assert other == ""  # standard error: the report is on standard output


@pytest.fixture(scope="module")
def slow(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Version 1 answers at once, version 2 takes as long as its input says."""
    path = tmp_path_factory.mktemp("slow") / "model.onnx"
    at_once = "(int64[1] count) => (float[] y) { f = Cast <to=1> (count)\n y = ReduceSum <keepdims=0> (f) }"
    for content in (onnx_models.parsed(at_once), onnx_models.slow()):
        path.write_bytes(content)
        maas.push(path, "sh-slow")
    return "sh-slow"


@pytest.mark.full
@pytest.mark.not_on("sam", "cloud", reason="it finds and ends a process of the local stack")
@pytest.mark.parametrize("dies", [False, True])
def test_a_shadow_that_runs_long_or_dies_takes_nothing_from_the_caller(
    http: httpx.Client, system: LocalStack, slow: str, dies: bool
) -> None:
    alias = f"dies-{dies}".lower()
    put(http, slow, alias, version=1)
    count = [4_000_000]  # about ten seconds
    ask(http, alias, slow, count)
    without = sorted(ask(http, alias, slow, count) for _ in range(5))
    put(http, slow, alias, shadow={"version": 2, "percent": 100, "compare": "none"})
    time.sleep(FOLLOWED_SECONDS)
    shadowed = []
    for index in range(5):
        shadowed.append(ask(http, alias, slow, count))
        time.sleep(0.5)
        if dies and index == 2:
            assert kill_environments("ShadowFunction")
    assert {str(answer) for _, answer in shadowed} == {str(without[0][1])}
    assert max(seconds for seconds, _ in shadowed) < 3  # a shadow takes ten, and the cores that it runs on are shared
    found = counted_within(system, slow, alias, 2, 5) if not dies else counted(system, slow, alias, 2)
    assert found.requests == 0
