"""The parent's end of an environment's socket: sends one frame, receives one frame."""

import asyncio
from typing import cast


class Channel(asyncio.Protocol):
    """One exchange at a time, as an environment handles one event at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def exchange(self, frame: bytes, timeout_seconds: float) -> bytes:
        """Send a frame and return its answer. Raises TimeoutError; ConnectionError if the other side has closed."""
        if not self._transport:
            raise ConnectionResetError
        self._transport.write(len(frame).to_bytes(4) + frame)
        return await self.receive(timeout_seconds)

    async def receive(self, timeout_seconds: float) -> bytes:
        """The next frame, which may have arrived already. Raises as `exchange` does."""
        self._answer = asyncio.get_running_loop().create_future()
        if not self._transport:
            raise ConnectionResetError
        self._deliver()
        async with asyncio.timeout(timeout_seconds):
            return await self._answer

    def close(self) -> None:
        if self._transport:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has only its methods

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._deliver()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    def _deliver(self) -> None:
        end = 4 + int.from_bytes(self._received[:4])
        if len(self._received) >= max(end, 5) and self._answer and not self._answer.done():
            frame = bytes(memoryview(self._received)[4:end])
            del self._received[:end]
            self._answer.set_result(frame)
