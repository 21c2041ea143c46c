"""The parent's end of an environment's socket: sends one frame, receives one frame."""

import asyncio
from typing import NamedTuple, cast

COPIED_BYTES = 1 << 16  # a longer body is not worth a copy


class Frame(NamedTuple):
    """`maas_local.environment` says what both are."""

    head: bytes
    body: bytes = b""


class Channel(asyncio.Protocol):
    """One exchange at a time, as an environment handles one event at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[Frame] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def exchange(self, frame: Frame, timeout_seconds: float) -> Frame:
        """Send a frame and return its answer. Raises TimeoutError; ConnectionError if the other side has closed."""
        if not self._transport:
            raise ConnectionResetError
        start = len(frame.head).to_bytes(4) + len(frame.body).to_bytes(4) + frame.head
        if len(frame.body) < COPIED_BYTES:
            self._transport.write(start + frame.body)  # each write wakes up the other process
        else:
            self._transport.write(start)
            self._transport.write(frame.body)
        return await self.receive(timeout_seconds)

    async def receive(self, timeout_seconds: float) -> Frame:
        """The next frame, which may have arrived already. Raises as `exchange` does."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Frame] = loop.create_future()
        self._answer = answer
        if not self._transport:
            raise ConnectionResetError
        if self._received:
            self._deliver()
        limit = loop.call_later(timeout_seconds, _expire, answer)  # a fraction of the time of asyncio.timeout
        try:
            return await answer
        finally:
            limit.cancel()

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
        received = self._received
        if len(received) < 8 or not self._answer or self._answer.done():
            return
        start = 8 + int.from_bytes(received[:4])
        end = start + int.from_bytes(received[4:8])
        if len(received) >= end:
            with memoryview(received) as view:
                frame = Frame(bytes(view[8:start]), bytes(view[start:end]))
            del received[:end]
            self._answer.set_result(frame)


def _expire(answer: "asyncio.Future[Frame]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
