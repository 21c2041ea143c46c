"""The child's side of an execution environment: one process, one handler, one event at a time, as in Lambda.

Run as `python -m maas_client.local.environment FD HANDLER SECONDS`: frames come and go over the socket FD, each a
4-byte big-endian length and JSON. The process ends when the socket does, so it never outlives the local stack.
"""

import importlib
import os
import socket
import sys
import time
import traceback
import uuid
from typing import Any, Protocol

import orjson


class Stream(Protocol):
    """What is needed of a socket's file object."""

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class Context:
    """What handlers find in Lambda's context object."""

    def __init__(self, timeout_seconds: float) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"
        self._deadline = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def read_frame(stream: Stream) -> bytes | None:
    """None at the end of the stream."""
    length = stream.read(4)
    return stream.read(int.from_bytes(length)) if len(length) == 4 else None


def write_frame(stream: Stream, frame: bytes) -> None:
    stream.write(len(frame).to_bytes(4) + frame)
    stream.flush()


def serve(stream: Stream, handler_name: str, timeout_seconds: float) -> None:
    """Answer every event until the stream ends: {"result": …}, or {"error": …} as Lambda tells of an exception."""
    module_name, _, function_name = handler_name.rpartition(".")
    handler = getattr(importlib.import_module(module_name), function_name)
    while (frame := read_frame(stream)) is not None:
        answer: dict[str, Any]
        try:
            answer = {"result": handler(orjson.loads(frame), Context(timeout_seconds))}
        except Exception as error:
            trace = traceback.format_exc()
            print(trace, file=sys.stderr, flush=True)
            answer = {"error": {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": [trace]}}
        write_frame(stream, orjson.dumps(answer))


def main() -> None:
    descriptor, handler_name, timeout_seconds = sys.argv[1:]
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    with socket.socket(fileno=int(descriptor)) as connection, connection.makefile("rwb") as stream:
        serve(stream, handler_name, float(timeout_seconds))


if __name__ == "__main__":
    main()
