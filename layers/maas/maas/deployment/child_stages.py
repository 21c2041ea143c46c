"""What a child process does at the moment, told to its parent through a pipe."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from maas.records import Stage

STAGES = "MAAS_STAGES"  # the variable with the pipe's descriptor
MAX_STAGE_BYTES = 4096  # in all: a hostile model may write there, too
Report = Callable[[Stage], None]


def tell(stage: Stage) -> None:
    """In the child: go on to this stage. Nothing happens in a process that nobody listens to."""
    with suppress(OSError, KeyError, ValueError):
        os.write(int(os.environ[STAGES]), f"{stage}\n".encode())


@contextmanager
def reported(report: Report | None) -> Iterator[int]:
    """In the parent: the descriptor that the child inherits. `report` gets each stage once, in a thread."""
    reading, writing = os.pipe()
    listener = threading.Thread(target=_listen, args=(reading, report), daemon=True)
    listener.start()
    try:
        yield writing
    finally:
        os.close(writing)
        listener.join(1)  # what the child started may hold the pipe open


def _listen(reading: int, report: Report | None) -> None:
    seen: set[str] = set()
    with os.fdopen(reading, "rb") as stages:
        for _ in range(MAX_STAGE_BYTES // 16):
            told = stages.readline(64).decode("ascii", "replace").strip()
            if not told:
                return
            if report and told not in seen and told in set(Stage):
                seen.add(told)
                report(Stage(told))
