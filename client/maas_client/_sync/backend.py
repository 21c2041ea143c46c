"""What differs between asyncio and threads. Written by hand twice: `_async/backend.py` has the same names."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import ParamSpec, TypeVar

import httpx

from maas_client.settings import connection_to

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

sleep = time.sleep


def in_thread(do: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
    """In this thread: nothing else waits for it."""
    return do(*arguments, **named)


def http_client(url: str) -> httpx.Client:
    """A client for `url` that knows no key and signs nothing."""
    return httpx.Client(**connection_to(url))


def run_all(work: Sequence[Callable[[], None]], parallel: int, stop: Event) -> None:
    """Run each, `parallel` at a time. The first failure is raised; `stop` is set, and none runs any more then."""
    with ThreadPoolExecutor(parallel) as pool:
        try:
            for done in as_completed([pool.submit(do) for do in work]):
                done.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
