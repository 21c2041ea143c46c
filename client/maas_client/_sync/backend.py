"""What differs between asyncio and threads. Written by hand twice: `_async/backend.py` has the same names."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import Any, ParamSpec, TypeVar

import httpx

from maas_client._sync.network import DeadlineTransport, until
from maas_client.errors import InvalidInput
from maas_client.settings import TIMEOUT, Route

__all__ = ["Connections", "http_client", "in_thread", "run_all", "sleep", "until"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

sleep = time.sleep


def in_thread(do: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
    """In this thread: nothing else waits for it."""
    return do(*arguments, **named)


def http_client(route: Route, **caller: Any) -> httpx.Client:
    """`caller` are headers and auth of every request; without, it knows no key and signs nothing."""
    return httpx.Client(transport=DeadlineTransport(route), timeout=TIMEOUT, trust_env=False, **caller)


class Connections:
    """An HTTP client for each process: after `fork`, parent and child would read each other's answers."""

    def __init__(self, connect: Callable[[], httpx.Client]) -> None:
        self._connect = connect
        self._clients: dict[int, httpx.Client] = {}
        self._is_closed = False

    def client(self) -> httpx.Client:
        """Raises InvalidInput once closed."""
        if self._is_closed:
            raise InvalidInput("this client is closed: create another one")
        process = os.getpid()
        found = self._clients.get(process)
        return found or self._clients.setdefault(process, self._connect())  # one for all threads, without a lock

    def close(self) -> None:
        self._is_closed = True
        found = self._clients.pop(os.getpid(), None)
        if found:
            found.close()


def run_all(work: Sequence[Callable[[], None]], parallel: int, stop: Event) -> None:
    """Runs each, `parallel` at a time. Sets `stop` and cancels the rest before it raises the first failure."""
    with ThreadPoolExecutor(parallel) as pool:
        try:
            for done in as_completed([pool.submit(do) for do in work]):
                done.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
