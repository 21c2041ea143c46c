"""Starts `maas_local.engine` in its own process and stops it."""

import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from maas_client.errors import MaasError
from maas_local.data_folder import DataFolder

START_SECONDS = 30


@contextmanager
def engine(host: str, data: DataFolder | None, on_death: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Run an engine and yield its port, that of the last run if it is free. Without `data` nothing is kept.

    `on_death` is called from a thread if its process ends within the block.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(  # noqa: S603 (this interpreter and a module of this package)
            [
                sys.executable,
                "-m",
                "maas_local.engine",
                host,
                *([str(data.remembered.port), str(data.path)] if data else []),
            ],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[data.lock] if data else [],
            start_new_session=True,  # keep Ctrl-C from it: the local stack stops it in order
        ) as process,
    ):
        assert process.stdin and process.stdout
        relay: threading.Thread | None = None
        ending = threading.Event()
        try:
            ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
            answered = process.stdout.readline() if ready else b""
            if not answered:
                log.seek(0)
                last = log.read().decode(errors="replace").strip().rpartition("\n")[2]
                raise MaasError(f"the local AWS services did not start on {host}: {last or 'no reason given'}")
            if data:
                data.remember(port=int(answered))
            relay = threading.Thread(target=_relay, args=[process.stdout, ending, on_death], daemon=True)
            relay.start()
            yield int(answered)
        finally:
            ending.set()
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)
            process.kill()
            if relay:
                relay.join()


def _relay(lines: IO[bytes], ending: threading.Event, on_death: Callable[[], None]) -> None:
    """Say what fails, until the engine ends."""
    for line in lines:
        print(f"maas: {line.decode(errors='replace').rstrip()}", file=sys.stderr, flush=True)
    if not ending.is_set():
        on_death()
