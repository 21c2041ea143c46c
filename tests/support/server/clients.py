"""Both clients, for tests that run with each."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import iscoroutine
from typing import Any

from maas_client import AsyncMaasClient, MaasClient

KINDS = ("blocking", "async")


class Awaited:
    """AsyncMaasClient, or a part of it, whose methods are called as those of MaasClient are."""

    def __init__(self, client: object, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return Awaited(found, self._runner) if type(found).__name__.startswith("Async") else found

        def call(*arguments: Any, **named: Any) -> Any:
            given = found(*arguments, **named)
            return self._runner.run(given) if iscoroutine(given) else given

        return call


@contextmanager
def client_of(kind: str, url: str, **settings: Any) -> Iterator[Any]:
    if kind == "blocking":
        with MaasClient(url, **settings) as client:
            yield client
    else:
        with asyncio.Runner() as runner:
            client = AsyncMaasClient(url, **settings)
            yield Awaited(client, runner)
            runner.run(client.close())
