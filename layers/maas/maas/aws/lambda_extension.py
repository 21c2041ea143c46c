"""An internal Lambda extension.

With it, Lambda sends an answer to the caller at once, but freezes the environment only after the extension has asked
for its next event. Lambda also sends SIGTERM 500 ms before it ends an environment that has an extension.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import http.client
import json
import re
import socket

NAME = "maas"
PATH = "/2020-01-01/extension"
IDENTIFIER = "Lambda-Extension-Identifier"
ATTEMPTS = 3
TIMEOUT_SECONDS = 1
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class ExtensionFailed(Exception):
    """The Extensions API refused, or does not answer."""


class Extension:
    """A registered extension, which has asked for its first event. For one thread at a time."""

    def __init__(self, address: str) -> None:
        """Register at `address`, which is `host:port`; only in Lambda's init phase. Raises ExtensionFailed."""
        try:
            identifier = _registered(address)
        except (OSError, http.client.HTTPException) as error:
            raise ExtensionFailed(repr(error)) from error
        host, _, port = address.rpartition(":")
        self._address = host, int(port)
        self._request = (
            f"GET {PATH}/event/next HTTP/1.1\r\nHost: {address}\r\n{IDENTIFIER}: {identifier}\r\n\r\n".encode()
        )
        self._connection: socket.socket | None = None
        self._ask()

    def next(self) -> None:
        """Read the event of the invocation that was answered, and ask for the next one: Lambda may freeze from then on.

        The event has lain there since the invocation began: reading it then would have slowed the answer. Every
        request ends here, so this reads what it must of HTTP by itself: http.client takes five times as long (130 µs
        more). Raises ExtensionFailed.
        """
        try:
            answer = self._answer()
        except OSError:
            self._connection = None  # the event is lost; it has nothing of interest
        else:
            if answer.split(b" ", 2)[1] != b"200":
                raise ExtensionFailed(f"{answer[:200]!r}")
        self._ask()

    def _answer(self) -> bytes:
        assert self._connection is not None
        answer = b""
        while not _is_whole(answer):
            more = self._connection.recv(65536)
            if not more:
                raise ConnectionResetError
            answer += more
        return answer

    def _ask(self) -> None:
        """The answer comes with the next invocation."""
        for _ in range(ATTEMPTS):
            try:
                if self._connection is None:
                    self._connection = socket.create_connection(self._address, TIMEOUT_SECONDS)
                return self._connection.sendall(self._request)
            except OSError as error:
                self._connection, lost = None, error
        raise ExtensionFailed(repr(lost)) from lost


def _registered(address: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    connection.request("POST", f"{PATH}/register", json.dumps({"events": ["INVOKE"]}), {"Lambda-Extension-Name": NAME})
    answer = connection.getresponse()
    content, identifier = answer.read(), answer.headers.get(IDENTIFIER)
    connection.close()
    if answer.status != 200 or not identifier:
        raise ExtensionFailed(f"status {answer.status}: {content[:200]!r}")
    return identifier


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = _LENGTH.search(head)
    return len(body) >= int(length[1]) if length else answer.endswith(_LAST_CHUNK)
