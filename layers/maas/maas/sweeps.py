"""Sweeps of the schedule: what fails for one item does not stop it for the others."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def each(
    items: Iterable[T], name: Callable[[T], str], work: Callable[[T], bool], deadline: float, problem: str
) -> Iterator[str]:
    """Yields the name of each item for which `work` returns true, until `deadline` (of time.monotonic).

    Continues after a failure; raises an ExceptionGroup of all failures at the end, named by `problem`.
    """
    failures: dict[str, Exception] = {}
    for item in items:
        if time.monotonic() > deadline:
            break
        try:
            is_done = work(item)
        except Exception as error:
            failures[name(item)] = error
            continue
        if is_done:
            yield name(item)
    if failures:
        raise ExceptionGroup(f"{problem}: {', '.join(failures)}", list(failures.values()))
