"""Work that follows an answer, off the caller's path: calls run in order, on one thread, once the answer is on its way.

Lambda would freeze such a thread half-way; an internal extension keeps it from that (`maas.aws.lambda_extension`).
Without one - in the local stack, in tests, or refused - the thread runs freely. All that runs here adds to the time
until the environment takes its next event, and must end by itself within a few seconds: docs/adr/0024.
"""

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import wraps
from queue import Empty, SimpleQueue
from typing import Any, Self

from maas.aws.lambda_extension import Extension, ExtensionFailed

MAX_CALLS = 100  # that wait at a time
END_SECONDS = 0.4  # Lambda allows 500 ms between SIGTERM and SIGKILL
Call = Callable[[], object]
_log = logging.getLogger(__name__)  # Lambda writes its lines as JSON; Powertools' logger stands a floor above
_started: list["AfterAnswer"] = []


class AfterAnswer:
    def __init__(self, extension: Extension | None = None) -> None:
        self._extension = extension
        self._calls: deque[Call] = deque()
        self._periodic: list[_Periodic] = []
        self._answers: SimpleQueue[bool] = SimpleQueue()  # False: the last one
        self._thread: threading.Thread | None = None

    @classmethod
    def start(cls) -> Self:
        """Registers the extension if this is Lambda, and finishes at SIGTERM. In the init phase, on the main thread."""
        address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
        started = cls(_extension(address) if address else None)
        if not _started and threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGTERM, lambda *arguments: _end(before, *arguments))
        _started.append(started)
        return started

    def follows(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """The handler; what was added before or during a call of it runs after that."""

        @wraps(handler)
        def wrapped(event: Any, context: Any) -> Any:
            try:
                return handler(event, context)
            finally:
                self.answered()

        return wrapped

    def add(self, call: Call) -> bool:
        """Let `call` run after the answer; False if so many wait that it never will."""
        if len(self._calls) >= MAX_CALLS:
            return False
        self._calls.append(call)
        return True

    def every(self, seconds: float, call: Call) -> None:
        """Let `call` run after the first answer, then once `seconds` have passed since its last run, and at the end.

        Lambda stops time between events: there it runs after the first answer beyond that time.
        """
        self._periodic.append(_Periodic(seconds, call))

    def answered(self) -> None:
        """To be called at the end of each invocation."""
        if self._extension is None and not self._calls and (self._thread or not self._periodic):
            return  # the thread knows itself when something periodic is due
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="after-answer", daemon=True)
            self._thread.start()
        self._answers.put(True)

    def finish(self, seconds: float = END_SECONDS) -> None:
        """Run everything that waits, and all that is periodic; give up waiting for it after `seconds`."""
        if self._thread is not None:
            self._answers.put(False)
            self._thread.join(seconds)

    def _run(self) -> None:
        while self._next_answer():
            self._work()
            if self._extension is not None:
                try:
                    self._extension.next()
                except ExtensionFailed as error:
                    self._extension = None
                    _log.error("no Lambda extension any more: %s", error)
        self._work(at_the_end=True)

    def _next_answer(self) -> bool:
        """Whether it is not the end; without an extension, also returns when something periodic is due."""
        if self._extension is not None or not self._periodic:
            return self._answers.get()
        due = min(one.due for one in self._periodic)
        try:
            return self._answers.get(timeout=max(0.0, due - time.monotonic()))
        except Empty:
            return True

    def _work(self, at_the_end: bool = False) -> None:
        while self._calls:
            _run_safely(self._calls.popleft())
        for one in self._periodic:
            now = time.monotonic()
            if at_the_end or now >= one.due:
                one.due = now + one.seconds
                _run_safely(one.call)


class _Periodic:
    def __init__(self, seconds: float, call: Call) -> None:
        self.seconds, self.call, self.due = seconds, call, 0.0


def _run_safely(call: Call) -> None:
    try:
        call()
    except Exception:
        _log.exception("a call after the answer failed")


def _extension(address: str) -> Extension | None:
    try:
        return Extension(address)
    except ExtensionFailed as error:
        _log.error("no Lambda extension: %s", error)
        return None


def _end(before: Any, number: int, frame: Any) -> None:
    """SIGTERM: finish, then do what the signal did `before`."""
    until = time.monotonic() + END_SECONDS
    for one in _started:
        one.finish(max(0.0, until - time.monotonic()))
    if callable(before):
        before(number, frame)
    elif before != signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
