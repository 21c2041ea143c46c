"""What differs between asyncio and threads. Written by hand twice: `_sync/backend.py` has the same names."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from threading import Event
from typing import ParamSpec, TypeVar

import httpx

from maas_client.settings import connection_to

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

sleep = asyncio.sleep
in_thread = asyncio.to_thread  # for reading and writing files, and hashing them


def http_client(url: str) -> httpx.AsyncClient:
    """A client for `url` that knows no key and signs nothing."""
    return httpx.AsyncClient(**connection_to(url))


async def run_all(work: Sequence[Callable[[], Awaitable[None]]], parallel: int, stop: Event) -> None:
    """Run each, `parallel` at a time. The first failure is raised; `stop` is set, and none runs any more then."""
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
