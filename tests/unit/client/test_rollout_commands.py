"""`maas rollout`: what its commands send and show."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from maas_client import HistoryEntry, MaasClient
from maas_client.cli.render.models import show_history
from support.server.server import ContractServer

Run = Callable[..., str]
Command = Callable[..., tuple[int, str, str]]
COUNTED = {"requests": 300, "errors": 15, "refused": 0, "slow": 0, "compared": 0, "mismatched": 0}
BREACH = {
    "verdict": "breach",
    "reason": "errors: 15 of 300 requests (5.00%) of the canary failed",
    "figures": {"canary": COUNTED, "stable": COUNTED | {"requests": 2700, "errors": 27}},
    "at": "2026-01-02T03:04:05Z",
}


@pytest.fixture(autouse=True)
def digits(server: ContractServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    with MaasClient(server.url) as maas:
        for _ in range(2):
            maas.push(tmp_path / "model.onnx", "digits")
        for alias in ("production", "test"):
            maas.aliases.set("digits", alias, 1)


@pytest.fixture
def run(command: Command) -> Run:
    """Runs a command line; gives its standard output, or with `fails` its standard error."""

    def run_line(line: str, fails: int = 0) -> str:
        code, out, err = command(*line.split())
        assert code == fails, err
        return err or out

    return run_line


def test_start_sends_the_plan(server: ContractServer, run: Run) -> None:
    told = run(
        "rollout start digits@2 production --steps 10,100 --minutes 2.5 --error-rate 0.02 --p95-ms 250 "
        "--min-requests 50 --shadow-mismatch 0.01 --on-breach pause --notify https://example.com/hook"
    )
    made = server.rollouts[0]
    guards = {"error_rate": 0.02, "p95_ms": 250.0, "shadow_mismatch": 0.01, "min_requests": 50}
    assert (made["steps"], made["minutes_per_step"], made["guards"]) == ([10, 100], 2.5, guards)
    assert (made["on_breach"], made["notify"]) == ("pause", "https://example.com/hook")
    assert "digits@production  RUNNING  version 2 at 10 %, version 1 the rest" in told
    assert "steps 10 › 100 %, 2.5 minutes each; errors up to 2.00%, p95 below 250 ms" in told


@pytest.mark.parametrize(("how", "status"), [("pause", "PAUSED"), ("resume", "RUNNING"), ("abort", "ABORTED")])
def test_moves_the_open_one(run: Run, how: str, status: str) -> None:
    run("rollout start digits@2 production")
    assert f"digits@production  {status}" in run(f"rollout {how} digits")


def test_several_open_ones_are_named(run: Run) -> None:
    run("rollout start digits@2 production")
    run("rollout start digits@2 test")
    told = run("rollout abort digits", fails=1)
    assert "digits has several open rollouts: 40 (--alias production), 41 (--alias test)" in told
    assert "digits@test  ABORTED" in run("rollout abort digits --alias test")
    assert "digits@production  ABORTED" in run("rollout abort digits 40")
    assert "digits has no open rollout" in run("rollout pause digits", fails=1)
    assert "rollout 41" in run("rollout status digits")


def test_watch_shows_each_look_and_fails_with_the_rollout(server: ContractServer, run: Run) -> None:
    run("rollout start digits@2 production")

    def breach() -> None:
        time.sleep(1)
        server.rollouts[0] |= {"status": "ROLLED_BACK", "decision": BREACH}

    thread = threading.Thread(target=breach)
    thread.start()
    told = run("rollout status digits --watch", fails=1)
    thread.join()
    assert "ROLLED_BACK  5 %  canary 300 requests, 15 errors; stable 2,700 requests, 27 errors" in told
    assert "breach: errors: 15 of 300 requests (5.00%) of the canary failed" in told
    shown = run("rollout status digits")
    assert "15 (5.00%)" in shown and "27 (1.00%)" in shown and "version 1 serves all" in shown
    assert "slow" not in shown and "compared" not in shown
    server.rollouts[0]["guards"] |= {"p95_ms": 250.0, "shadow_mismatch": 0.01}
    shown = run("rollout status digits")
    assert "slow" in shown and "compared   mismatched" in shown


def test_one_minute(run: Run) -> None:
    assert "100 %, 1 minute each;" in run("rollout start digits@2 production --minutes 1")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("rollout start digits production", "expected MODEL@NUMBER"),
        ("rollout start digits@production production", "expected MODEL@NUMBER"),
        ("rollout start digits@2 production --steps 10,x", "expected a whole number from 1 to 100"),
        ("rollout start digits@2 production --error-rate nan", "expected a number above 0"),
        ("rollout status digits 1.5", "expected a whole number"),
    ],
)
def test_wrong_usage(run: Run, line: str, reason: str) -> None:
    assert reason in run(line, fails=2)


def test_history_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    entry = HistoryEntry(
        model="digits",
        revision=9,
        at="2026-01-02T03:04:05Z",
        actor="maintenance",
        kind="rollout.rolled_back",
        alias="production",
        before={"version": 1, "routes": [{"version": 2, "weight": 10}, {"version": 1, "weight": 90}]},
        after={"version": 1, "rollout": 7, "status": "ROLLED_BACK", "weight": 10, "reason": "errors: " + "x" * 200}
        | {"figures": BREACH["figures"]},
    )
    show_history([entry])
    told = capsys.readouterr().out
    assert "routes 2=10 1=90 → none, rollout 7, errors: xxx" in told
    assert "figures" not in told and "status" not in told and max(map(len, told.splitlines())) < 190
