"""The parent's side: each function has a few execution environments, started on demand and kept warm."""

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from typing import IO, Any

import orjson

from maas_client.local.intrinsics import REGION
from maas_client.local.template import Function

ENVIRONMENTS = min(4, os.cpu_count() or 1)  # a function's, at most; further events wait
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
# What a handler's process may see of the person's own environment: nothing that Lambda would not give it.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")


class FunctionError(Exception):
    """The handler raised, its process died, or its time was over. `details` are what Lambda would answer."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(f"{details.get('errorType')}: {details.get('errorMessage')}")
        self.details = details


class Environment:
    """One process. Use `start`; after an error in `invoke` it is dead."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        folder: str,
    ) -> None:
        self._process, self._reader, self._writer, self._folder = process, reader, writer, folder

    @classmethod
    async def start(cls, function: Function, credentials: Mapping[str, str], log: IO[bytes] | None) -> "Environment":
        ours, theirs = socket.socketpair()
        folder = tempfile.mkdtemp(prefix="maas-local-")  # an environment's own /tmp
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= dict(credentials) | {
            "HOME": folder,
            "TMPDIR": folder,
            "LAMBDA_TASK_ROOT": str(function.folder),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        arguments = ("-m", "maas_client.local.environment", str(theirs.fileno()), function.handler)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                str(function.timeout_seconds),
                env=environment | function.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log or asyncio.subprocess.DEVNULL,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the local stack, which then ends them
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 20)
        return cls(process, reader, writer, folder)

    async def invoke(self, event: bytes, timeout_seconds: float) -> Any:
        """The handler's result. Raises FunctionError; whoever calls must then `stop` this environment if it is dead."""
        self._writer.write(len(event).to_bytes(4) + event)
        try:
            async with asyncio.timeout(timeout_seconds):
                length = int.from_bytes(await self._reader.readexactly(4))
                frame = await self._reader.readexactly(length)
        except TimeoutError:
            self.kill()
            message = f"Task timed out after {timeout_seconds:.2f} seconds"
            raise FunctionError({"errorType": "Sandbox.Timedout", "errorMessage": message}) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            self.kill()
            message = f"the process ended with status {await self._process.wait()}"
            raise FunctionError({"errorType": "Runtime.ExitError", "errorMessage": message}) from None
        answer = orjson.loads(frame)
        if "error" in answer:
            raise FunctionError(answer["error"])
        return answer["result"]

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._writer.is_closing()

    def kill(self) -> None:
        self._writer.close()
        if self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        self.kill()
        await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Functions:
    """Invokes functions by name, in environments that are reused while they live."""

    def __init__(
        self, functions: Mapping[str, Function], credentials: Mapping[str, str], log: IO[bytes] | None
    ) -> None:
        self._functions, self._credentials, self._log = functions, credentials, log
        self._idle: dict[str, list[Environment]] = {name: [] for name in functions}
        self._free = {name: asyncio.Semaphore(ENVIRONMENTS) for name in functions}

    async def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """The handler's result, as JSON values. Raises FunctionError."""
        return await self.invoke_bytes(name, orjson.dumps(event))

    async def invoke_bytes(self, name: str, event: bytes) -> Any:
        function = self._functions[name]
        async with self._free[name]:
            idle = self._idle[name]
            environment = idle.pop() if idle else await Environment.start(function, self._credentials, self._log)
            try:
                return await environment.invoke(event, function.timeout_seconds)
            except asyncio.CancelledError:
                environment.kill()  # its answer to this event would be taken for the next one's
                raise
            finally:
                if environment.alive:
                    idle.append(environment)
                else:
                    await environment.stop()

    async def stop(self) -> None:
        for idle in self._idle.values():
            while idle:
                await idle.pop().stop()
