"""Runs a call until a deadline: in this thread, or in one that is left behind if the call does not end."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from maas.errors import DeadlineExceeded, MaasError
from maas.serving.watchdog import Watchdog

GRACE_SECONDS = 0.2  # for a call to end after it was told to
_watchdog = Watchdog()
T = TypeVar("T")


class _Job:
    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()


_idle: list[SimpleQueue[_Job]] = []  # one queue per thread that waits for a job


def run_here_until(deadline: float, call: Callable[[], T], end: Callable[[], None], doing: str) -> T:
    """The result of `call`. Calls `end` at `deadline`, of time.monotonic, from another thread.

    Raises what `call` raises; DeadlineExceeded, which says `doing`, if that comes after the deadline. Takes as long as
    `call` takes to end.
    """
    with _watchdog.limit(deadline, end) as limit:
        try:
            return call()
        except MaasError:
            if limit.exceeded:
                raise DeadlineExceeded(doing) from None
            raise


def run_until(deadline: float, call: Callable[[], T], end: Callable[[], None], doing: str) -> T:
    """The result of `call`, which runs in another thread. Calls `end` at `deadline`, of time.monotonic.

    Raises what `call` raises; DeadlineExceeded, which says `doing`, if that comes after the deadline or not at all. A
    call that does not end, such as one large operator of onnxruntime, keeps its thread; later calls get another one.
    """
    job = _Job(call)
    _thread().put(job)
    in_time = job.done.acquire(timeout=max(0, deadline - time.monotonic()))
    if not in_time:
        end()
        if not job.done.acquire(timeout=GRACE_SECONDS):
            raise DeadlineExceeded(doing)
    if job.error is None:
        return job.result  # type: ignore[no-any-return]
    error, job.error = job.error, None
    try:
        raise error if in_time else DeadlineExceeded(doing) from None
    finally:
        del error  # its traceback holds this frame, and so the arrays of the call


def _thread() -> SimpleQueue[_Job]:
    """The queue of an idle thread, or of a new one. Raises MemoryError if there is no memory for another."""
    try:
        return _idle.pop()
    except IndexError:
        jobs: SimpleQueue[_Job] = SimpleQueue()
    try:
        threading.Thread(target=_work, args=(jobs,), name="run", daemon=True).start()
    except RuntimeError:
        raise MemoryError from None
    return jobs


def _work(jobs: SimpleQueue[_Job]) -> None:
    while True:
        job = jobs.get()
        try:
            job.result = job.call()
        except BaseException as error:
            job.error = error
        _idle.append(jobs)
        job.done.release()
        del job  # else it lives until the next one comes
