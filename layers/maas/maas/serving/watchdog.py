"""Ends what exceeds its deadline. One thread per process sleeps until the earliest deadline, not per request."""

import threading
import time
from collections.abc import Callable
from typing import Self


class Watchdog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._condition = threading.Condition(self._lock)
        self._watched: dict[int, Limit] = {}
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None

    def limit(self, deadline: float, end: Callable[[], None]) -> "Limit":
        """A context that calls `end` in another thread if it is still open at `deadline` (of time.monotonic)."""
        return Limit(self, deadline, end)

    def add(self, limit: "Limit") -> None:
        with self._lock:  # the condition's own, and faster than through it
            self._watched[id(limit)] = limit
            # Deadlines mostly grow from request to request: then the thread need not wake up earlier.
            if limit.deadline < self._wakes_at:
                self._wakes_at = limit.deadline
                if self._thread is None:
                    self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                    self._thread.start()
                self._condition.notify()

    def remove(self, limit: "Limit") -> None:
        with self._lock:
            self._watched.pop(id(limit), None)

    def _watch(self) -> None:
        with self._condition:
            while True:
                self._condition.wait(None if self._wakes_at == float("inf") else self._wakes_at - time.monotonic())
                now = time.monotonic()
                if now < self._wakes_at:
                    continue
                for limit in [limit for limit in self._watched.values() if limit.deadline <= now]:
                    del self._watched[id(limit)]
                    limit.exceed()
                self._wakes_at = min((limit.deadline for limit in self._watched.values()), default=float("inf"))


class Limit:
    """`exceeded` is true if the deadline passed while the context was open."""

    def __init__(self, watchdog: Watchdog, deadline: float, end: Callable[[], None]) -> None:
        self.deadline, self.exceeded = deadline, False
        self._watchdog, self._end = watchdog, end

    def exceed(self) -> None:
        self.exceeded = True
        self._end()

    def __enter__(self) -> Self:
        self._watchdog.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.remove(self)
