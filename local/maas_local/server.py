"""Gateway and functions on an event loop in their own thread."""

import asyncio
import concurrent.futures
import socket
import threading
from collections.abc import Mapping
from typing import IO, Any

import uvicorn

from maas_local.functions import Functions
from maas_local.gateway import Gateway, OnAnswer
from maas_local.http_protocol import Http1
from maas_local.template import Template

GRACE_SECONDS = 2  # for running requests when the server stops


class Server:
    def __init__(
        self,
        template: Template,
        credentials: Mapping[str, str],
        listener: socket.socket,
        log: IO[bytes] | None,
        on_answer: OnAnswer | None,
    ) -> None:
        self._functions = Functions(template.functions(), credentials, log)
        config = uvicorn.Config(
            Gateway(template.routes(), self._functions, on_answer),
            lifespan="off",
            http=Http1,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # a caller does not choose the event's sourceIp
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._listener, self._uvicorn = listener, uvicorn.Server(config)
        self._loop: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="local-stack")

    def start(self) -> None:
        """Return once functions can be invoked; earlier requests wait in the listener."""
        self._thread.start()
        self._loop.result()

    def stop(self) -> None:
        """Stop the server and all functions."""
        self._uvicorn.should_exit = True
        if self._thread.ident:
            self._thread.join()

    def invoke(self, function: str, event: dict[str, Any]) -> object:
        """Call a handler from another thread and wait for its result. Raises FunctionError."""
        return asyncio.run_coroutine_threadsafe(self._functions.invoke(function, event), self._loop.result()).result()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._uvicorn.config.get_loop_factory()) as runner:
                runner.run(self._serve())
        except BaseException as error:
            if self._loop.done():
                raise
            self._loop.set_exception(error)

    async def _serve(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        try:
            await self._uvicorn.serve(sockets=[self._listener])
        finally:
            await self._functions.stop()
