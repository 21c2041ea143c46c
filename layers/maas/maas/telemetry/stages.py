"""Durations of the stages of a request."""

import time
from typing import Self


class Stage:
    """Nanoseconds that the stages of a request took. `cold`: the model was not loaded before. `rows`: of the input."""

    def __init__(self, started_ns: int) -> None:
        self.started_ns = self._last_ns = started_ns
        self.ns: dict[str, int] = {}
        self.cold = False
        self.rows = 1

    @classmethod
    def start(cls) -> Self:
        return cls(time.perf_counter_ns())

    def reached(self, stage: str) -> None:
        now = time.perf_counter_ns()
        self.ns[stage], self._last_ns = now - self._last_ns, now
