"""The local stack as a whole: cloud, functions, events and gateway, started together and ended together."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import uvicorn

from maas_client.errors import MaasError
from maas_client.local.cloud import LocalCloud
from maas_client.local.events import EventPump
from maas_client.local.functions import Functions
from maas_client.local.gateway import Gateway, OnAnswer
from maas_client.local.template import NAME, Template

TEMPLATE = "template.yaml"


class LocalStack:
    """A running system. `url` is its HTTP API; `environment` is what a boto3 client of its cloud needs."""

    def __init__(self, url: str, cloud: LocalCloud) -> None:
        self.url, self.cloud = url, cloud

    @property
    def environment(self) -> dict[str, str]:
        names = {"AWS_ENDPOINT_URL": self.cloud.url, "MAAS_TABLE": NAME, "MAAS_BUCKET": NAME}
        return self.cloud.credentials | names

    @classmethod
    @contextmanager
    def start(
        cls,
        template: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        log: IO[bytes] | None = None,
        on_answer: OnAnswer | None = None,
    ) -> Iterator["LocalStack"]:
        """Everything, until the block ends. Port 0 takes a free one; `log` gets what the functions print.

        Raises MaasError when there is no template or the port is taken.
        """
        path = template or find_template()
        with ExitStack() as ending:
            listener = ending.enter_context(_listener(host, port))
            cloud = ending.enter_context(LocalCloud.start(path))
            known = Template.load(path, {"AwsEndpointUrl": cloud.url})
            server = _Server(known, cloud, listener, log, on_answer)
            ending.callback(server.stop)
            server.start()
            pump = EventPump(cloud, known, server.invoke)
            ending.callback(pump.stop)
            pump.start()
            yield cls(f"http://{host}:{listener.getsockname()[1]}", cloud)


class _Server:
    """Gateway and functions on an event loop in a thread of its own."""

    def __init__(
        self,
        template: Template,
        cloud: LocalCloud,
        listener: socket.socket,
        log: IO[bytes] | None,
        on_answer: OnAnswer | None,
    ) -> None:
        self._template, self._cloud, self._listener, self._log = template, cloud, listener, log
        self._on_answer = on_answer
        self._thread = threading.Thread(target=self._run, name="local-stack")
        self._started = threading.Event()

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join()

    def invoke(self, function: str, event: dict[str, Any]) -> object:
        return asyncio.run_coroutine_threadsafe(self._functions.invoke(function, event), self._loop).result()

    def _run(self) -> None:
        self._functions = Functions(self._template.functions(), self._cloud.credentials, self._log)
        gateway = Gateway(self._template.routes(), self._functions, self._on_answer)
        config = uvicorn.Config(
            gateway, lifespan="off", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2
        )
        self._uvicorn = uvicorn.Server(config)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started.set()
        try:
            await self._uvicorn.serve(sockets=[self._listener])
        finally:
            await self._functions.stop()


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise MaasError(f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port") from None
    with listener:
        yield listener


def find_template() -> Path:
    """template.yaml of the current directory or one above, else of the checkout that this package is part of."""
    places = [Path.cwd(), *Path.cwd().parents, Path(__file__).parents[3]]
    for place in places:
        if (place / TEMPLATE).is_file() and (place / "functions").is_dir():
            return place / TEMPLATE
    raise MaasError(f"there is no {TEMPLATE} with functions/ here or above: run this in a checkout of MaaS")


def serve(port: int = 8080, host: str = "127.0.0.1", verbose: bool = False) -> None:
    """`maas local`: run until Ctrl-C or SIGTERM."""
    import sys

    from rich.console import Console

    console = Console()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())

    def on_answer(method: str, path: str, status: int, milliseconds: float) -> None:
        colour = "green" if status < 400 else "yellow" if status < 500 else "red"
        console.print(f"[{colour}]{status}[/] {method} {path} [dim]{milliseconds:.1f} ms[/]", highlight=False)

    with LocalStack.start(
        port=port, host=host, log=sys.stderr.buffer if verbose else None, on_answer=on_answer
    ) as stack:
        console.print(f"[bold]MaaS[/] is on [bold]{stack.url}[/]  (API document: {stack.url}/api/v1/docs)")
        console.print("Models live in this process's memory and are gone when it ends. Ctrl-C ends it.")
        console.print("Try:  maas push model.onnx --name mine", highlight=False)
        ended.wait()
        console.print("Ending …")
