"""Execution environments of functions, seen from the parent: started on demand and kept warm."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson

from maas_local import environment
from maas_local.channel import Channel, Frame
from maas_local.intrinsics import REGION
from maas_local.template import Function

# Per function, and for each queue that it reads, so that no queue waits for another; further events wait.
ENVIRONMENTS = min(4, max(2, os.cpu_count() or 1))
END_SECONDS = 0.5  # from SIGTERM to SIGKILL
INIT_SECONDS = 30  # to import the handler; Lambda allows 10, but this machine is shared
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_ESCAPE = 6  # bytes of one byte of text in JSON at most: \u0000
TIMED_OUT, DIED = "Sandbox.Timedout", "Runtime.ExitError"  # Lambda's errorType
# Variables of this process that handlers inherit; Lambda sets the same or does without.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE", "AWS_CA_BUNDLE")


class FunctionError(Exception):
    """The handler raised, its process died, or it timed out. `details` is what Lambda would answer."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(f"{details.get('errorType')}: {details.get('errorMessage')}")
        self.details, self.had_begun = details, True

    @property
    def is_death(self) -> bool:
        """Whether the process ended while the handler ran, so that nothing after its last act was done."""
        return self.had_begun and self.details.get("errorType") in (TIMED_OUT, DIED)


class Environment:
    """One process with its own temporary folder."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel, folder: str) -> None:
        self._process, self._channel, self._folder = process, channel, folder

    @classmethod
    async def start(cls, function: Function, credentials: Mapping[str, str], log: IO[bytes] | None) -> "Environment":
        """Start the process and import the handler. Raises FunctionError with what its module raised."""
        if not function.folder.is_dir():
            raise FunctionError({"errorType": "Runtime.InvalidCodeUri", "errorMessage": f"no folder {function.folder}"})
        ours, theirs = socket.socketpair()
        for one in (ours, theirs):  # as much as the system allows: each refill wakes up both processes
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PAYLOAD_LIMIT_BYTES)
        folder = tempfile.mkdtemp(prefix="maas-local-")
        arguments = (environment.__file__, str(theirs.fileno()), function.handler, str(function.timeout_seconds))
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # only the function's own folder precedes the installed packages on sys.path
                *arguments,
                env=_variables(function, credentials, folder),
                cwd=function.folder,
                stdin=asyncio.subprocess.PIPE,  # the lifeline
                stdout=log or asyncio.subprocess.DEVNULL,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # keep Ctrl-C from it: the local stack stops it in order
            )
        _, channel = await asyncio.get_running_loop().create_unix_connection(Channel, sock=ours)
        started = cls(process, channel, folder)
        try:
            await started._answer(channel.receive(INIT_SECONDS), INIT_SECONDS)
        except BaseException as error:
            await started.stop()
            if isinstance(error, FunctionError):
                error.had_begun = False
            raise
        return started

    async def invoke(self, event: Frame, timeout_seconds: float) -> tuple[Any, bytes]:
        """The handler's result and its body. Raises FunctionError; check `alive` before the next event then."""
        return await self._answer(self._channel.exchange(event, timeout_seconds), timeout_seconds)

    async def _answer(self, frame: Awaitable[Frame], timeout_seconds: float) -> tuple[Any, bytes]:
        try:
            answer = await frame
        except TimeoutError:
            self.kill()
            message = f"Task timed out after {timeout_seconds:.2f} seconds"
            raise FunctionError({"errorType": TIMED_OUT, "errorMessage": message}) from None
        except ConnectionError:
            self.kill()
            message = f"Runtime exited with error: exit status {await self._process.wait()}"
            raise FunctionError({"errorType": DIED, "errorMessage": message}) from None
        if payload_bytes(answer) > PAYLOAD_LIMIT_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT_BYTES} bytes)."
            raise FunctionError({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message})
        content = orjson.loads(memoryview(answer.head)[1:])
        if answer.head[:1] == environment.ERROR:
            raise FunctionError(content)
        return content, answer.body

    @property
    def alive(self) -> bool:
        return self._channel.is_open and self._process.returncode is None

    def kill(self) -> None:
        """Kill the process and all processes that it started."""
        self._channel.close()
        if self._process.returncode is not None and Path(f"/proc/{self._process.pid}").exists():
            return  # the group is empty, and another process has its number by now
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End the process as Lambda does: it may finish its work first."""
        with suppress(ProcessLookupError, TimeoutError):
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        self.kill()
        await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Functions:
    """Invokes functions by name and reuses their environments."""

    def __init__(
        self, functions: Mapping[str, Function], credentials: Mapping[str, str], log: IO[bytes] | None
    ) -> None:
        self._functions, self._credentials, self._log = functions, credentials, log
        self._idle: dict[str, list[Environment]] = {name: [] for name in functions}
        self._busy: set[Environment] = set()
        self._free: defaultdict[tuple[str, str], asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(ENVIRONMENTS)
        )

    async def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """The handler's result, as JSON values. Raises FunctionError."""
        result, body = await self.invoke_beside(name, Frame(orjson.dumps(event)), _queue_of(event))
        return result | {"body": body.decode()} if body else result

    async def invoke_beside(self, name: str, event: Frame, queue: str = "") -> tuple[Any, bytes]:
        """The handler's result, and its `body`, which is "" in there. The body of the event is beside it too."""
        function = self._functions[name]
        async with self._free[name, queue]:
            chosen = await self._environment(function)
            self._busy.add(chosen)
            try:
                return await chosen.invoke(event, function.timeout_seconds)
            except asyncio.CancelledError:
                chosen.kill()  # its late answer would be taken for the answer to the next event
                raise
            finally:
                self._busy.discard(chosen)
                if chosen.alive:
                    self._idle[name].append(chosen)
                else:
                    await chosen.stop()

    async def _environment(self, function: Function) -> Environment:
        """A warm environment that is alive, or a new one."""
        idle = self._idle[function.name]
        while idle:
            warm = idle.pop()
            if warm.alive:
                return warm
            await warm.stop()
        return await Environment.start(function, self._credentials, self._log)

    async def stop(self) -> None:
        """Stop all environments, including busy ones."""
        all_of_them = [*self._busy, *(warm for idle in self._idle.values() for warm in idle)]
        await asyncio.gather(*(chosen.stop() for chosen in all_of_them))


def _queue_of(event: object) -> str:
    """The ARN of the queue that the messages come from; empty for another event."""
    records = event.get("Records") if isinstance(event, dict) else None
    return str(records[0].get("eventSourceARN", "")) if records else ""


def payload_bytes(frame: Frame) -> int:
    """The size of what Lambda would carry: head and body as one JSON text. Within the limit it may be less."""
    most = len(frame.head) + LONGEST_ESCAPE * len(frame.body)
    if most <= PAYLOAD_LIMIT_BYTES or not frame.body:
        return most
    twice = len(frame.head) + 2 * len(frame.body)
    if twice <= PAYLOAD_LIMIT_BYTES and _has_short_escapes(frame.body):
        return twice
    return len(frame.head) + len(orjson.dumps(frame.body.decode(errors="replace"))) - len('""')


def _has_short_escapes(text: bytes) -> bool:
    """Whether no byte of it takes more than two in JSON: a fifth of the time of writing megabytes as JSON."""
    import numpy as np  # for the first large body, not for the start of the stack

    return int(np.frombuffer(text, np.uint8).min()) >= ord(" ")


def _variables(function: Function, credentials: Mapping[str, str], folder: str) -> dict[str, str]:
    """Variables that Lambda sets, overridden by those of the template."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    given = {
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONUNBUFFERED": "1",
        "LAMBDA_TASK_ROOT": str(Path(function.folder).resolve()),
        "_HANDLER": function.handler,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    return kept | dict(credentials) | given | function.environment
