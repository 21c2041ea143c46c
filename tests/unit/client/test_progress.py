"""What commands draw on a terminal while they work."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from maas_client import Job
from maas_client.cli.progress import told_of
from maas_client.reading import read
from maas_client.watch import LONGEST_PAUSE_SECONDS, Watch
from support.server.server import ContractServer

FIELDS = {"id": "0", "kind": "batch", "model": "m", "version": 1, "status": "RUNNING", "input": "i", "output": "o"}
FIELDS |= {"created_at": "", "updated_at": "", "actor": "ann"}
MAAS = [sys.executable, "-c", "from maas_client.cli import app; app()"]


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five records, one of them bad; the test runs in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": [1, 2]}\n{"x": [3, 4]}\n{"y": [5, 6]}\n{"x": [7, 8]}\n{"x": [9, 10]}\n')
    return path


def on_a_terminal(server: ContractServer, *arguments: object) -> str:
    """What a command draws on a terminal."""
    environment = os.environ | {"MAAS_URL": server.url, "TERM": "xterm", "COLUMNS": "150"}
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [*MAAS, *map(str, arguments)], env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(main, 65536):
            shown += chunk
    except OSError:
        pass  # Linux reports the other end's close so
    os.close(main)
    assert process.wait(60) == 0
    return shown.decode()


def test_terminal_bars(times: ContractServer, lines: Path) -> None:
    shown = on_a_terminal(times, "batch", "times", lines)
    for told in ("hashing", "uploading", "succeeded", "3/3 shards, 5 rows, 1 error, 1,000 rows/s", "downloading"):
        assert told in shown, told
    assert Path("rows.predictions.jsonl").exists()


@pytest.mark.full
def test_push_shows_its_stages(times: ContractServer, tmp_path: Path) -> None:
    times.looks_until_ready = 8
    shown = on_a_terminal(times, "push", tmp_path / "model.onnx", "-n", "times")
    stages = [shown.index(told) for told in ("hashing", "uploading", "checking", "the server loads the model")]
    assert stages == sorted(stages)
    assert "times@3" in shown


def test_markup_and_escapes_do_not_act_on_a_terminal(times: ContractServer) -> None:
    times.models["times"]["description"] = "\x1b]0;title\x07[red]a[/]"
    shown = on_a_terminal(times, "models")
    assert "\\x1b]0;title\\x07[red]a[/]" in shown
    assert "\x1b]0;" not in shown


def test_progress_text() -> None:
    assert told_of(read(Job, FIELDS)) == ""
    progress = {"shards_total": 8, "shards_done": 0, "shards_failed": 0, "rows": 0, "errors": 0}
    assert told_of(read(Job, FIELDS | {"progress": progress})) == "0/8 shards, 0 rows"
    progress |= {"shards_done": 2, "rows": 250_000, "errors": 3, "rows_per_second": 12500.4, "eta_seconds": 60.2}
    told = "2/8 shards, 250,000 rows, 3 errors, 12,500 rows/s, 60 s left"
    assert told_of(read(Job, FIELDS | {"progress": progress})) == told


def test_many_shards_are_looked_at_as_often() -> None:
    """Their number costs the server nothing."""
    progress = {"shards_total": 100_000, "shards_done": 0, "shards_failed": 0, "rows": 0, "errors": 0}
    watch = Watch(None)
    pauses = [watch.pause_after(read(Job, FIELDS | {"progress": progress})) or 0 for _ in range(30)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
