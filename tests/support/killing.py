"""`python -m support.killing ROUNDS [SEED]`: `maas local` killed at random moments, and what it must remember.

In each round a stack is started on the folder of the last one and compared with what it has acknowledged. Then pushes,
alias moves and jobs run at once until it is killed, in every other round with all its processes.
"""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from maas_client import MaasClient
from maas_client.errors import CannotConnect, JobTimedOut, MaasError, ServerFailed
from support import onnx_models
from support.aws.engine import ROOT

MODEL, ALIAS, ROWS = "kept", "live", 50
ONES = np.ones((1, 3), np.float32)
_STARTED = re.compile(r"is on (http\S+).*?MAAS_API_KEY=(\S+)", re.DOTALL)
CHECK_ATTEMPTS = 5
CHECK_SECONDS = 600  # a busy machine is no loss: what comes late is asked for again
MAX_SECONDS = 6.0  # from the start of the work to the kill
_Result = TypeVar("_Result")


class NotStarted(Exception):
    pass


LATE = (CannotConnect, ServerFailed, JobTimedOut, NotStarted)


@dataclass
class Acknowledged:
    """What a client was told. `weights` by version; `moves` of the alias, and those without an answer."""

    key: str = ""
    url: str = ""
    weights: dict[int, float] = field(default_factory=dict)
    moves: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    history: int = 0


class Stack:
    """A running `maas local`. Raises NotStarted."""

    def __init__(self, data: Path, port: int) -> None:
        command = [str(Path(sys.executable).parent / "maas"), "local", "--data", str(data), "--port", str(port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAAS_"))}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment | {"COLUMNS": "500"}, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        told = ""
        while not (found := _STARTED.search(told)):
            line = self.process.stdout.readline()
            if not line:
                self.kill(everything=True)
                raise NotStarted(told)
            told += line
        self.url, self.key = found[1], found[2]

    def kill(self, everything: bool) -> None:
        """kill -9 of the command, before it of all processes that it started if `everything`."""
        if self.process.returncode is not None:
            return
        for pid in descendants(self.process.pid) if everything else []:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process started, and theirs."""
    with suppress(OSError):  # it ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from descendants(int(child))
                yield int(child)


def check(maas: MaasClient, known: Acknowledged) -> None:
    """Nothing acknowledged is lost, and nothing is half there."""
    if not known.weights:
        return
    versions = {version.version: version for version in maas.versions.list(MODEL)}
    assert set(known.weights) <= set(versions), "a version is lost"
    for number in random.Random(len(versions)).sample(sorted(known.weights), min(3, len(known.weights))):
        assert versions[number].status == "READY"
        answer = maas.infer(MODEL, {"x": ONES}, version=number)
        assert np.allclose(answer["y"], 3 * known.weights[number]), "a version answers as another"
    entries = maas.models.history(MODEL)
    assert len(entries) >= known.history, "a history entry is lost"
    known.history = len(entries)
    if known.moves or known.asked:
        is_set = {alias.alias: alias.version for alias in maas.aliases.list(MODEL)}.get(ALIAS)
        allowed = {known.moves[-1] if known.moves else None, *known.asked}
        assert is_set in allowed, f"the alias is at {is_set}, expected one of {allowed}"
        moved = [entry for entry in entries if entry.kind == "alias.set"]
        assert len(known.moves) <= len(moved), "a move has no history entry"
        known.moves, known.asked = [is_set] * len(moved) if is_set else [], []
    for job_id in known.jobs[-5:]:
        job = maas.jobs.wait(job_id, 90)
        assert job.progress and job.progress.rows == ROWS, "a job lost records"


def check_all(maas: MaasClient, known: Acknowledged) -> None:
    """Also what a round looks at by samples."""
    check(maas, known)
    for job_id in known.jobs:
        assert maas.jobs.wait(job_id, 90).status == "SUCCEEDED"
    for number, weight in known.weights.items():
        assert np.allclose(maas.infer(MODEL, {"x": ONES}, version=number)["y"], 3 * weight)


def patiently(call: Callable[[], _Result]) -> _Result:
    """Call until the answer comes in time. Raises what it is to the end."""
    until = time.monotonic() + CHECK_SECONDS
    while True:
        try:
            return call()
        except LATE as error:
            if time.monotonic() > until:
                raise
            print(f"again after {error!r:.200}", file=sys.stderr, flush=True)


@dataclass
class Work:
    """Pushes, alias moves and jobs until `stop`; what is answered is written down in `known`."""

    maas: MaasClient
    known: Acknowledged
    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        steps = (self._push, self._move, self._batch)
        threads = [threading.Thread(target=self._repeated, args=[step], daemon=True) for step in steps]
        for thread in threads:
            thread.start()
        return threads

    def _push(self) -> None:
        weight = float(len(self.known.weights) + 1)
        path = self.folder / "model.onnx"
        path.write_bytes(onnx_models.linear(weight))
        self.known.weights[self.maas.push(path, MODEL).version] = weight

    def _move(self) -> None:
        others = [number for number in list(self.known.weights) if number not in self.known.moves[-1:]]
        if others:  # the same again is no move
            number = random.choice(others)
            self.known.asked.append(number)
            self.maas.aliases.set(MODEL, ALIAS, number)
            self.known.asked.remove(number)
            self.known.moves.append(number)

    def _batch(self) -> None:
        if self.known.weights:
            path = self.folder / "rows.jsonl"
            path.write_text('{"x": [1, 2, 3]}\n' * ROWS)
            self.known.jobs.append(self.maas.batch(MODEL, path, str(min(self.known.weights))).id)
            self.stop.wait(0.2)

    def _repeated(self, step: Callable[[], None]) -> None:
        while not self.stop.is_set():
            try:
                step()
            except MaasError:
                if self.stop.wait(0.05):
                    return


@contextmanager
def _client(stack: Stack, attempts: int = 1) -> Iterator[MaasClient]:
    """By default, an answer that is lost counts as none."""
    with MaasClient(stack.url, stack.key, attempts=attempts, timeout_seconds=60) as maas:
        yield maas


def run(rounds: int, seed: int, data: Path) -> Acknowledged:
    """Raises AssertionError for what is lost or half there."""
    moments, known = random.Random(seed), Acknowledged()
    folder = data.parent / "work"
    folder.mkdir(parents=True, exist_ok=True)
    port = 0
    for number in range(rounds):
        stack = patiently(partial(Stack, data, port))
        try:
            assert known.key in ("", stack.key), "the key changed"
            assert known.url in ("", stack.url), "the address changed"
            known.key, known.url, port = stack.key, stack.url, int(stack.url.rpartition(":")[2])
            with _client(stack, CHECK_ATTEMPTS) as maas:
                patiently(partial(check, maas, known))
            with _client(stack) as maas:
                work = Work(maas, known, folder)
                threads = work.start()
                while number == 0 and not known.jobs and all(thread.is_alive() for thread in threads):
                    time.sleep(0.05)  # something to remember
                time.sleep(moments.uniform(0, MAX_SECONDS))
                stack.kill(everything=number % 2 == 1)
                work.stop.set()
                for thread in threads:
                    thread.join(60)
        finally:
            stack.kill(everything=True)
    stack = patiently(partial(Stack, data, port))
    try:
        with _client(stack, CHECK_ATTEMPTS) as maas:
            patiently(partial(check_all, maas, known))
    finally:
        stack.kill(everything=True)
    return known


def main() -> None:
    rounds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        for first in range(0, rounds, 20):  # a folder each 20 rounds, so that checking stays quick
            some = min(20, rounds - first)
            known = run(some, seed + first, Path(folder) / str(first) / "data")
            left = f"{len(known.weights)} versions, {known.history} history entries, {len(known.jobs)} jobs"
            print(
                f"{first + some} kills in {time.monotonic() - started:.0f} s; the last {some} left {left}", flush=True
            )


if __name__ == "__main__":
    main()
