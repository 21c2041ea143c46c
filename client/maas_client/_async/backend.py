"""What differs between asyncio and threads. Written by hand twice: `_sync/backend.py` has the same names."""

import asyncio
import time
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from threading import Event
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from maas_client.errors import InvalidInput
from maas_client.settings import LIMITS, TIMEOUT, Route

sleep = asyncio.sleep
in_thread = asyncio.to_thread  # for reading and writing files, and hashing them


def http_client(route: Route, **caller: Any) -> httpx.AsyncClient:
    """`caller` are headers and auth of every request; without, it knows no key and signs nothing."""
    return httpx.AsyncClient(
        proxy=route.proxy,
        verify=route.certificates or False,
        limits=LIMITS,
        timeout=TIMEOUT,
        trust_env=False,
        **caller,
    )


class Connections:
    """An HTTP client for each event loop, as connections belong to the loop that opened them."""

    def __init__(self, connect: Callable[[], httpx.AsyncClient]) -> None:
        self._connect = connect
        self._clients: WeakKeyDictionary[AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()
        self._is_closed = False

    def client(self) -> httpx.AsyncClient:
        """Raises InvalidInput once closed."""
        if self._is_closed:
            raise InvalidInput("this client is closed: create another one")
        loop = asyncio.get_running_loop()
        found = self._clients.get(loop)
        return found or self._clients.setdefault(loop, self._connect())

    async def close(self) -> None:
        self._is_closed = True
        found = self._clients.pop(asyncio.get_running_loop(), None)
        if found:
            await found.aclose()


@asynccontextmanager
async def until(deadline: float | None) -> AsyncIterator[None]:
    """Raises httpx.ReadTimeout at the deadline (of time.monotonic)."""
    try:
        async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()) as scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise httpx.ReadTimeout("no complete answer within the time limit") from None


async def run_all(work: Sequence[Callable[[], Awaitable[None]]], parallel: int, stop: Event) -> None:
    """Runs each, `parallel` at a time. Sets `stop` and cancels the rest before it raises the first failure."""
    slots = asyncio.Semaphore(parallel)

    async def one(do: Callable[[], Awaitable[None]]) -> None:
        async with slots:
            await do()

    tasks = [asyncio.ensure_future(one(do)) for do in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        stop.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
