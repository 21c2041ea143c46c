"""HTTP/1.1 with as little of Python in it as can be: the client's own time is part of every server's figure."""

import select
import socket
from collections.abc import Mapping

from httptools import HttpResponseParser

_PIECE = 1 << 20


class Answer:
    """What the parser has read so far; header names in lower case."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.is_whole = False
        self._pieces: list[bytes] = []

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True


class Connection:
    """One connection that is kept, opened with the first request, and anew where the server has ended it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The request as bytes, for `answer` to send as often as wanted."""
        lines = [f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{self._port}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def answer(self, request: bytes) -> Answer:
        """Raises AssertionError unless it is a 200."""
        if self._socket and select.select([self._socket], [], [], 0)[0]:  # nothing is awaited, so it is the end
            self.close()
        if not self._socket:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = Answer()
        parser = HttpResponseParser(answer)
        self._socket.sendall(request)
        while not answer.is_whole:
            piece = self._socket.recv(_PIECE)
            assert piece, "the server ended the connection"
            parser.feed_data(piece)
        assert parser.get_status_code() == 200, answer.body[:300]
        return answer
