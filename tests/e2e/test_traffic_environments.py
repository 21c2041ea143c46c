"""Callers of an alias that sticks to them keep their version over three environments."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from maas_client import MaasClient
from maas_local import functions
from maas_local.stack import LocalStack
from support import onnx_models

pytestmark = pytest.mark.full


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[MaasClient, Path]]:
    """A stack of its own with three environments of each function, and the file with their log."""
    monkeypatch.setattr(functions, "ENVIRONMENTS", 3)
    log = tmp_path / "log"
    with log.open("wb") as file, LocalStack.start(log=file) as stack, MaasClient(stack.url, stack.api_key) as client:
        yield client, log


@pytest.mark.not_on("sam", "cloud", reason="it starts a local stack")
def test_callers_stay_where_they_are_over_three_environments(three: tuple[MaasClient, Path], tmp_path: Path) -> None:
    maas, log = three
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.slow())
    for _ in range(2):
        maas.push(path, "slow")
    maas.aliases.set("slow", "live", routes={1: 50, 2: 50}, sticky="caller")
    keys = [maas.keys.create(f"caller {number}", ["infer"]).key for number in range(12)]
    seen: list[tuple[int, str]] = []
    calls = [(number, key) for number, key in enumerate(keys) for _ in range(15)]
    random.Random(1).shuffle(calls)

    def ask() -> None:
        with httpx.Client(timeout=60) as http:
            while calls:
                number, key = calls.pop()
                slow = {"inputs": [{"name": "count", "shape": [1], "datatype": "INT64", "data": [3000]}]}
                answer = http.post(
                    f"{maas.url}/v2/models/slow/versions/live/infer", json=slow, headers={"x-api-key": key}
                )
                assert answer.status_code == 200, answer.text
                seen.append((number, answer.headers["maas-version"]))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12 * 15
    by_caller = {number: {version for one, version in seen if one == number} for number in range(12)}
    assert {len(versions) for versions in by_caller.values()} == {1}
    assert set().union(*by_caller.values()) == {"1", "2"}
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"Model":"slow"' in line]
    assert {line["alias"] for line in lines} == {"live"}
    assert len([line for line in lines if line["cold_start"]]) == 3, "not three environments"
    print(Counter(version for _, version in seen))
