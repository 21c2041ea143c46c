"""One server for all tests of the clients, and each client for it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client.cli import app
from support.server.clients import KINDS, client_of
from support.server.server import ContractServer, contract_server

ROWS = np.arange(14, dtype=np.float32).reshape(7, 2)


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as server:
        yield server


@pytest.fixture
def command(
    server: ContractServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line of `maas` in this process; gives exit code, standard output, standard error."""
    monkeypatch.setenv("MAAS_URL", server.url)
    for name in ("MAAS_API_KEY", "MAAS_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit_:
            app([str(argument) for argument in arguments])
        code = exit_.value.code
        assert isinstance(code, int)
        return code, *capsys.readouterr()

    return run


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def maas(server: ContractServer, kind: str) -> Iterator[Any]:
    """A client, in turn the blocking and the asynchronous one."""
    with client_of(kind, server.url) as client:
        yield client


@pytest.fixture
def times(server: ContractServer, tmp_path: Path) -> ContractServer:
    """The server with model `times`: version 1, and 2, to which `prod` points."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"good")
    with client_of("blocking", server.url) as client:
        client.push(model, "times")
        client.push(model, "times", alias="prod")
    server.seen.clear()
    return server


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "rows of today.jsonl"
    path.write_text("".join(json.dumps({"x": row}) + "\n" for row in ROWS.tolist()))
    return path


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"good" + bytes(range(256)) * 20_000)  # 5.1 MB
    return path
