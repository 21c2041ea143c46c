"""One client in several processes, threads and event loops; and after it is closed."""

import asyncio
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from maas_client import (
    AsyncMaasClient,
    CannotConnect,
    DeploymentFailed,
    InvalidInput,
    Job,
    JobFailed,
    JobTimedOut,
    MaasClient,
    MaasError,
    NoAnswerInTime,
    PreconditionFailed,
    TimedOut,
    UploadFailed,
)
from maas_client.errors import api_error
from maas_client.reading import read
from support.server.clients import client_of
from support.server.server import ContractServer

FORKING = """
import os, sys
import numpy as np
from maas_client import MaasClient

maas = MaasClient(sys.argv[1])
maas.infer("echo", {"x": np.zeros((1, 2), np.float32)})
children = []
for child in range(4):
    pid = os.fork()
    if pid == 0:
        for index in range(50):
            x = np.full((1, 2), 1000 * child + index, np.float32)
            if not np.array_equal(maas.infer("echo", {"x": x})["y0"], x):
                os._exit(1)
        os._exit(0)
    children.append(pid)
for index in range(50):
    x = np.full((1, 2), -index, np.float32)
    assert np.array_equal(maas.infer("echo", {"x": x})["y0"], x)
sys.exit(sum(os.waitpid(pid, 0)[1] != 0 for pid in children))
"""


def asked(maas: MaasClient, number: float) -> float:
    return float(maas.infer("echo", {"x": np.full((1, 2), number, np.float32)})["y0"][0, 0])


@pytest.mark.full
def test_forked_processes_get_their_own_answers(server: ContractServer) -> None:
    done = subprocess.run([sys.executable, "-c", FORKING, server.url], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.connections == 1 + 4


def test_threads_get_their_own_answers(server: ContractServer) -> None:
    with MaasClient(server.url) as maas, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda number: asked(maas, number), range(200))) == list(range(200))


def test_event_loops_get_their_own_answers(server: ContractServer) -> None:
    maas = AsyncMaasClient(server.url)

    async def ask(number: int) -> list[float]:
        inputs = [{"x": np.full((1, 2), number + index, np.float32)} for index in range(4)]
        answers = await asyncio.gather(*[maas.infer("echo", one) for one in inputs])
        return [float(one["y0"][0, 0]) for one in answers]

    for start in (0, 4):  # one loop after another
        assert asyncio.run(ask(start)) == [start, start + 1, start + 2, start + 3]
    with ThreadPoolExecutor(4) as pool:  # and at once
        answers = list(pool.map(lambda start: asyncio.run(ask(start)), range(0, 80, 4)))
    assert [one for answer in answers for one in answer] == list(range(80))


@pytest.mark.parametrize("given", ["secret", None])
def test_pickled_client(server: ContractServer, monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    """With the key that was given; one of the environment stays there."""
    monkeypatch.setenv("MAAS_API_KEY", "of-the-environment")
    for kind in (MaasClient, AsyncMaasClient):
        pickled = pickle.dumps(kind(server.url, given, timeout_seconds=60, attempts=2))
        assert b"of-the-environment" not in pickled
        loaded = pickle.loads(pickled)
        found = loaded.models.list()
        assert (asyncio.run(found) if kind is AsyncMaasClient else found) == []
        assert server.seen[-1][2]["x-api-key"] == given or "of-the-environment"
        assert loaded.url == server.url
        inferred = loaded.infer("echo", {"x": np.ones((1, 2), np.float32)})
        if kind is AsyncMaasClient:
            asyncio.run(inferred)
        assert 0 < server.requests[-1]["parameters"]["timeout"] <= 60_000_000


def test_closed_client(server: ContractServer, kind: str) -> None:
    with client_of(kind, server.url) as maas:
        maas.models.list()
        maas.close()
        with pytest.raises(InvalidInput, match="this client is closed"):
            maas.models.list()


def test_connections_kept(server: ContractServer, maas: Any) -> None:
    for _ in range(5):
        maas.infer("echo", {"x": np.ones((1, 2), np.float32)})
    maas.metadata("echo")
    assert server.connections == 1


def test_errors_and_records_are_pickled_with_their_facts() -> None:
    job = {"id": "7", "kind": "batch", "model": "m", "version": 1, "status": "FAILED", "reason": "no", "actor": "ann"}
    failed = read(Job, job | {"input": "i", "output": "o", "created_at": "", "updated_at": ""})
    changed = api_error(412, "it changed", "if-match", {"name": "m"})
    errors: list[MaasError] = [
        changed,
        api_error(503, "busy"),
        CannotConnect("http://127.0.0.1", "no route"),
        NoAnswerInTime("http://127.0.0.1", "slow"),
        DeploymentFailed("m", 3, "not ONNX"),
        TimedOut("m", 3, "VALIDATING", 1.0),
        JobFailed(failed),
        JobTimedOut(failed, 2.0),
        UploadFailed("the storage"),
    ]
    for error in errors:
        loaded = pickle.loads(pickle.dumps(error))
        assert (type(loaded), str(loaded), vars(loaded)) == (type(error), str(error), vars(error))
    assert isinstance(changed, PreconditionFailed) and changed.current == {"name": "m"}
    assert pickle.loads(pickle.dumps(failed)) == failed
