"""The whole local stack: starts and stops cloud, functions, event delivery and gateway together."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from maas_client.errors import MaasError
from maas_local.cloud import LocalCloud
from maas_local.data_folder import DataFolder
from maas_local.events import EventPump
from maas_local.gateway import OnAnswer
from maas_local.intrinsics import REGION
from maas_local.parameters import ENDPOINT
from maas_local.queues import QueuePump
from maas_local.resources import NAME
from maas_local.schedules import SchedulePump
from maas_local.server import Server
from maas_local.template import Template

TEMPLATE, FOLDER = "template.yaml", ".maas"


class LocalStack:
    """A running system. `url` is its HTTP API, `api_key` a key of scope admin if the API is protected.

    `environment` holds the variables that a boto3 client of its cloud needs.
    """

    def __init__(self, url: str, cloud: LocalCloud, api_key: str | None) -> None:
        self.url, self.cloud, self.api_key = url, cloud, api_key

    @property
    def environment(self) -> dict[str, str]:
        names = {"AWS_ENDPOINT_URL": self.cloud.url, "MAAS_TABLE": NAME, "MAAS_BUCKET": NAME}
        return self.cloud.credentials | names | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}

    @classmethod
    @contextmanager
    def start(
        cls,
        template: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        log: IO[bytes] | None = None,
        on_answer: OnAnswer | None = None,
        data: Path | None = None,
        minute_seconds: float = 60,
        parameters: Mapping[str, str] | None = None,
        on_death: Callable[[], None] = lambda: None,
    ) -> Iterator["LocalStack"]:
        """Run the stack until the block ends. Port 0 takes a free port; `log` receives the output of the functions.

        State is kept in the folder `data`, and what was in flight there goes on. Without one, nothing is kept.
        `minute_seconds` is how long a minute of the template's schedules lasts; `parameters` are the template's.
        `on_death` is called from a thread if the process of the AWS services ends: then nothing works any more.
        Raises MaasError if there is no template, the port is in use, or the cloud does not answer; InvalidInput for a
        parameter that the template does not take.
        """
        path = _existing(template) if template else find_template()
        given = dict(parameters or {})
        if given:
            Template.load(path).check(given)
        with ExitStack() as ending:
            listener = ending.enter_context(_listener(host, port))
            folder = ending.enter_context(DataFolder.open(data)) if data else None
            cloud = ending.enter_context(LocalCloud.start(path, data=folder, parameters=given, on_death=on_death))
            # A browser sends no key: on one's own machine the pages that describe the API are open.
            known = Template.load(path, {"ApiDocuments": "open"} | given | {ENDPOINT: cloud.url})
            server = Server(known, cloud.credentials, listener, log, on_answer)
            pumps = (
                EventPump(cloud, known, server.invoke),
                QueuePump(cloud, known, server.invoke),
                SchedulePump(known, server.invoke, minute_seconds),
            )
            # Callbacks run in reverse: take no new events, stop the functions, then wait for failed deliveries.
            for pump in pumps:
                ending.callback(pump.stop)
            ending.callback(server.stop)
            for pump in pumps:
                ending.callback(pump.close)
            server.start()
            for pump in pumps:
                pump.start()
            api_key = cloud.admin_key(known, folder)
            if folder:
                # Daemon: the end of the stack does not wait for it. After the key: both import the registry, and two
                # threads that import packages which import each other may find one half made.
                threading.Thread(target=_resume, args=(cloud, known), name="resuming", daemon=True).start()
            yield cls(f"http://{host}:{listener.getsockname()[1]}", cloud, api_key)


def _resume(cloud: LocalCloud, template: Template) -> None:
    from maas_local.resuming import resume  # the functions' modules: the start need not wait for their import

    resume(cloud, template)


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise MaasError(f"cannot listen on {host}:{port} ({why}): choose another port with --port") from None
    with listener:
        yield listener


def _existing(template: Path) -> Path:
    if not template.is_file():
        raise MaasError(f"there is no template {template}")
    return template


def find_template() -> Path:
    """template.yaml of the current folder or a parent, else of the checkout that contains this package."""
    places = [Path.cwd(), *Path.cwd().parents, Path(__file__).parents[2]]
    for place in places:
        if (place / TEMPLATE).is_file() and (place / "functions").is_dir():
            return place / TEMPLATE
    raise MaasError(f"there is no {TEMPLATE} with functions/ here or above: run this in a checkout of MaaS")


def serve(
    port: int = 8080,
    host: str = "127.0.0.1",
    verbose: bool = False,
    data: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> None:
    """`maas local`: run until Ctrl-C or SIGTERM. Without `verbose`, show only requests answered with 5xx.

    Raises MaasError, also if the process of the AWS services is killed.
    """
    from maas import heap
    from maas_client.cli.looks import say

    heap.keep_freed()
    _log_harmlessly()
    ended, died = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())

    def on_answer(method: str, path: str, status: int, milliseconds: float) -> None:
        if verbose or status >= 500:
            colour = "green" if status < 400 else "yellow" if status < 500 else "red"
            say((str(status), colour), f" {method} {path} ", (f"{milliseconds:.1f} ms", "dim"))

    def on_death() -> None:
        died.set()
        ended.set()

    log = sys.stderr.buffer if verbose else None
    with LocalStack.start(
        port=port, host=host, log=log, on_answer=on_answer, data=data, parameters=parameters, on_death=on_death
    ) as stack:
        say(
            ("MaaS", "bold"),
            " is on ",
            (stack.url, "bold"),
            "  (console: /console, API document: /api/v1/openapi.json)",
        )
        say(_kept(data))
        if stack.api_key:
            how_long = "" if data else ", for this run only"
            say(f"API key of scope admin{how_long}:  export MAAS_API_KEY={stack.api_key}")
        elsewhere = "" if stack.url == "http://127.0.0.1:8080" else f" --url {stack.url}"
        say(f"Try:  maas push model.onnx --name mine{elsewhere}    Ctrl-C stops.")
        ended.wait()
        say("Stopping …")
    if died.is_set():
        kept = "what was answered is kept" if data else "nothing is kept"
        raise MaasError(f"the process of the local AWS services was killed: start `maas local` again; {kept}")


def data_folder() -> Path:
    """`.maas` beside the template. Raises MaasError if there is no template."""
    return find_template().parent / FOLDER


def _kept(data: Path | None) -> str:
    elsewhere = os.environ.get("AWS_ENDPOINT_URL")
    if elsewhere:
        return f"{elsewhere} (AWS_ENDPOINT_URL) stores everything, and keeps it when this ends."
    if data:
        return f"Everything is kept in {data}: stop it, and start it again with the same models, jobs and keys."
    return "Nothing is kept: models, versions, keys, jobs and files are lost at the end."


def _log_harmlessly() -> None:
    """Log to standard error; names in requests and events do not act on the terminal."""
    from maas_client.cli.output import plain

    class Lines(logging.Formatter):
        def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
            return plain(record.message)

    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
