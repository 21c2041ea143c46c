"""Execution environments: real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maas_local.channel import Channel
from maas_local.functions import ENVIRONMENTS, PAYLOAD_LIMIT_BYTES, Environment, FunctionError, Functions
from maas_local.template import Function

HANDLER = """
import collections, decimal, os, subprocess, sys, time

def with_child(_):
    child = subprocess.Popen([sys.executable, "-c", "import sys, time; sys.stdin.read(); print(1); time.sleep(600)"],
                             stdout=subprocess.PIPE)
    child.stdout.readline()  # the child reads an empty standard input
    return [os.getpid(), child.pid]

def sleep(seconds):
    time.sleep(seconds)
    return os.getpid()

ANSWERS = {
    "pid": lambda _: os.getpid(),
    "sleep": sleep,
    "exit": lambda status: sys.exit(status),
    "with_child": with_child,
    "set": lambda _: {1, 2},
    "decimal": lambda _: collections.OrderedDict(half=decimal.Decimal("0.5")),
    "large": lambda size: "x" * size,
    "where": lambda _: [os.getcwd(), sys.path[0], os.environ["TMPDIR"], os.environ["HOME"]],
    "fail": lambda message: [][message],
}

def lambda_handler(event, context):
    (what, value), = event.items()
    return ANSWERS[what](value)
"""
BY_QUEUE = """
import pathlib, time

def lambda_handler(event, context):
    queue = event["Records"][0]["eventSourceARN"]
    while queue == "shards" and not pathlib.Path("over").exists():
        time.sleep(0.01)
    return queue
"""
FINISHING = """
import pathlib, signal, sys

def lambda_handler(end, context):
    def finish(*_):
        pathlib.Path(end).write_text("finished")
        sys.exit()
    signal.signal(signal.SIGTERM, finish)
    return "ready"
"""
Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(HANDLER)
    return tmp_path


def run(
    folder: Path,
    body: Callable[[Functions], Awaitable[Any]],
    handler: str = "app.lambda_handler",
    timeout_seconds: int = 60,
) -> Any:
    function = Function("One", folder, handler, {}, timeout_seconds, memory_mb=128, attempts=1, on_failure=None)

    async def main() -> Any:
        functions = Functions({"One": function}, {}, None)
        try:
            return await body(functions)
        finally:
            await functions.stop()

    return asyncio.run(main())


def error_of(folder: Path, event: dict[str, Any], handler: str = "app.lambda_handler") -> dict[str, Any]:
    limit = 1 if "sleep" in event else 60  # nothing else is meant to exceed it, on a busy machine either
    with pytest.raises(FunctionError) as caught:
        run(folder, lambda functions: functions.invoke("One", event), handler, limit)
    return caught.value.details


def gone(pid: int) -> bool:
    """Whether the process has ended, perhaps as a zombie."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_warm_environment_is_reused_and_concurrent_events_have_two(folder: Path) -> None:
    async def body(functions: Functions) -> None:
        first = await functions.invoke("One", {"pid": 0})
        assert await functions.invoke("One", {"pid": 0}) == first
        together = await asyncio.gather(*(functions.invoke("One", {"sleep": 0.2}) for _ in range(2)))
        assert len(set(together)) == 2
        assert first in together

    run(folder, body)


def test_events_wait_for_a_free_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maas_local.functions.ENVIRONMENTS", 1)

    async def body(functions: Functions) -> Any:
        return await asyncio.gather(*(functions.invoke("One", {"sleep": 0.05}) for _ in range(4)))

    assert len(set(run(folder, body))) == 1


@pytest.mark.full
def test_messages_of_one_queue_do_not_wait_for_another(folder: Path) -> None:
    """As answers do not wait for a batch, whose shards the same function works on."""

    def event(queue: str) -> dict[str, Any]:
        return {"Records": [{"eventSourceARN": queue}]}

    (folder / "app.py").write_text(BY_QUEUE)

    async def body(functions: Functions) -> None:
        shards = [asyncio.create_task(functions.invoke("One", event("shards"))) for _ in range(ENVIRONMENTS + 1)]
        await asyncio.sleep(0.1)
        assert await functions.invoke("One", event("answers")) == "answers"
        assert not any(shard.done() for shard in shards)
        (folder / "over").touch()
        assert await asyncio.gather(*shards) == ["shards"] * len(shards)

    run(folder, body, timeout_seconds=60)


def test_dead_environment_is_replaced(folder: Path) -> None:
    async def body(functions: Functions) -> None:
        died = await functions.invoke("One", {"pid": 0})
        os.kill(died, signal.SIGKILL)
        while functions._idle["One"][0].alive:
            await asyncio.sleep(0.02)
        assert await functions.invoke("One", {"pid": 0}) != died

    run(folder, body)


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        ({"exit": 3}, "Runtime.ExitError", "exit status"),
        ({"set": 0}, "Runtime.MarshalError", "set is not JSON"),
        ({"large": PAYLOAD_LIMIT_BYTES}, "Function.ResponseSizeTooLarge", "exceeded"),
        ({"sleep": 600}, "Sandbox.Timedout", "timed out after 1.00 seconds"),
        ({"fail": 7}, "IndexError", "list index out of range"),
    ],
)
def test_failures_have_lambdas_form(folder: Path, event: dict[str, Any], kind: str, message: str) -> None:
    details = error_of(folder, event)
    assert details["errorType"] == kind
    assert message in details["errorMessage"]
    if kind == "IndexError":
        assert "lambda_handler" in details["stackTrace"][0]
        assert "environment.py" not in "".join(details["stackTrace"])


@pytest.mark.full
def test_process_that_dies_before_its_handler_is_called_had_done_nothing(folder: Path) -> None:
    """So a message that it was to get need not stay hidden."""
    for source, is_death in (("import os; os.kill(os.getpid(), 9)", False), (HANDLER, True)):
        (folder / "app.py").write_text(source)
        with pytest.raises(FunctionError) as caught:
            run(folder, lambda functions: functions.invoke("One", {"exit": 3}))
        assert caught.value.details["errorType"] == "Runtime.ExitError"
        assert caught.value.is_death is is_death


@pytest.mark.parametrize(
    ("handler", "kind"), [("absent.handler", "ModuleNotFoundError"), ("app.absent", "AttributeError")]
)
def test_missing_handler_is_an_error(folder: Path, handler: str, kind: str) -> None:
    assert error_of(folder, {}, handler)["errorType"] == kind


def test_results_are_encoded_as_lambda_does(folder: Path) -> None:
    assert run(folder, lambda functions: functions.invoke("One", {"decimal": 0})) == {"half": 0.5}
    large = "x" * (PAYLOAD_LIMIT_BYTES - 3)  # with its quotes and the byte that says it is a result
    assert run(folder, lambda functions: functions.invoke("One", {"large": len(large)})) == large


def test_function_folder_is_first_on_the_path_and_tmp_is_removed(folder: Path) -> None:
    where, first, tmp, home = run(folder, lambda functions: functions.invoke("One", {"where": 0}))
    assert where == first == str(folder.resolve())
    assert tmp == home
    assert not Path(tmp).exists()


def test_stop_kills_running_handlers_and_their_children(folder: Path) -> None:
    async def body(functions: Functions) -> Any:
        pids = await functions.invoke("One", {"with_child": 0})
        hanging = asyncio.create_task(functions.invoke("One", {"sleep": 600}))
        while not functions._busy:
            await asyncio.sleep(0.02)
        await functions.stop()
        with pytest.raises(FunctionError):
            await hanging
        return pids

    assert all(map(gone, run(folder, body)))


def test_stop_lets_a_process_finish(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maas_local.functions.END_SECONDS", 60)
    (folder / "app.py").write_text(FINISHING)
    end = tmp_path / "end"
    assert run(folder, lambda functions: functions.invoke("One", str(end))) == "ready"
    assert end.read_text() == "finished"


def test_process_that_got_the_number_of_a_dead_one_is_not_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        ended = SimpleNamespace(pid=other.pid, returncode=1)
        Environment(cast(asyncio.subprocess.Process, ended), Channel(), "").kill()
        assert other.poll() is None
        other.communicate(b"\n", 60)
        assert other.returncode == 0


@pytest.mark.parametrize("last", ["sleep", "pid"])  # the parent dies while the handler runs, or is idle
def test_killed_parent_leaves_no_process_and_no_folder(folder: Path, last: str) -> None:
    script = f"""
import asyncio
from pathlib import Path
from maas_local.functions import Functions
from maas_local.template import Function
async def main():
    one = Function("One", Path({str(folder)!r}), "app.lambda_handler", {{}}, 600, 128, 1, None)
    functions = Functions({{"One": one}}, {{}}, None)
    pids, where = await functions.invoke("One", {{"with_child": 0}}), await functions.invoke("One", {{"where": 0}})
    print(*pids, where[2], flush=True)
    await functions.invoke("One", {{"{last}": 600}})
    await asyncio.sleep(600)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        *pids, tmp = parent.stdout.readline().split()
        os.kill(parent.pid, signal.SIGKILL)
    assert all(gone(int(pid)) for pid in pids)
    assert not Path(tmp).exists()
