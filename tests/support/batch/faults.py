"""Injects faults by seed while a batch job runs: refused calls, lost answers, killed processes.

- the server refuses a call (500, throttled), or carries it out and the answer is lost;
- the process dies right before or right after one of its writes;
- another delivery of the same shard overtakes this one, right before one of its writes.
"""

import json
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import boto3

KINDS = {"refused", "answer lost", "died before a write", "died after a write", "overtaken"}
WRITES = {"PutObject", "PutItem", "TransactWriteItems", "SendMessageBatch", "PutEvents"}


class Killed(BaseException):
    """Stands for the death of the process: no code catches it."""


@dataclass
class Faults:
    """Decides which fault occurs. `left` limits their number, so that a job can end."""

    random: Random
    left: int = 0
    rate: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    overtake: Callable[[], None] | None = None  # runs another delivery of the same message
    depth: int = 0

    def happens(self, kind: str, share: float = 1.0) -> bool:
        if self.left <= 0 or self.random.random() >= self.rate * share:
            return False
        self.left -= 1
        self.met[kind] += 1
        return True


class FaultyServer:
    """moto's application with faults of a server before and after a call."""

    def __init__(self, application: Any, faults: Callable[[], Faults]) -> None:
        self._application, self._faults = application, faults

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        faults = self._faults()
        if faults.happens("refused"):
            return self._refusal(environ, start_response)
        lost = faults.happens("answer lost")
        answer = list(self._application(environ, start_response))
        if lost:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        return answer

    def _refusal(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        throttled = self._faults().random.random() < 0.5
        status, body = "500 Internal Server Error", b""
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            kind = "ProvisionedThroughputExceededException" if throttled else "InternalServerError"
            body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "not now"}).encode()
            status = "400 Bad Request" if throttled else status
        elif throttled:
            status = "503 Service Unavailable"
            body = b"<Error><Code>SlowDown</Code><Message>not now</Message></Error>"
        start_response(status, [("content-length", str(len(body)))])
        return [body]


class FaultyProcess:
    """Hooks around the writes of boto3's clients."""

    def __init__(self, faults: Callable[[], Faults], session: boto3.Session) -> None:
        self._faults = faults
        session.events.register("before-call", self._before_write)
        session.events.register("after-call", self._after_write)

    def _before_write(self, model: Any, **_: Any) -> None:
        faults = self._faults()
        if model.name not in WRITES:
            return
        if faults.happens("died before a write"):
            raise Killed
        if faults.overtake and faults.depth < 2 and faults.happens("overtaken", 1.5):
            faults.depth += 1
            try:
                faults.overtake()
            except (Exception, Killed):  # the end of the other delivery
                pass
            finally:
                faults.depth -= 1

    def _after_write(self, model: Any, **_: Any) -> None:
        if model.name in WRITES and self._faults().happens("died after a write"):
            raise Killed
