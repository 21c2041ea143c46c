"""The child's side of an execution environment: one process, one handler, one event at a time, as in Lambda.

Run as `python -P environment.py FD HANDLER SECONDS`. Frames come and go over the socket FD: a 4-byte big-endian
length, then the frame. An event's frame is JSON; an answer's is one byte, RESULT or ERROR, then JSON. The first answer
says that the handler is there, or why it is not. Standard input is the lifeline: when it ends, so does the process.
"""

import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

import orjson

RESULT, ERROR = b"+", b"-"
# orjson writes more than Lambda's json does; what it must pass on is tried, and refused, by json itself.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
Handler = Callable[[Any, "Context"], Any]


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
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"
        self._deadline = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def read_frame(stream: Stream) -> bytes | None:
    """None at the end of the stream."""
    length = stream.read(4)
    return stream.read(int.from_bytes(length)) if len(length) == 4 else None


def write_frame(stream: Stream, kind: bytes, frame: bytes) -> None:
    stream.write((len(frame) + 1).to_bytes(4) + kind + frame)
    stream.flush()


def serve(stream: Stream, handler: Handler, timeout_seconds: float) -> None:
    """Answer every event until the stream ends."""
    while (frame := read_frame(stream)) is not None:
        try:
            result = handler(orjson.loads(frame), Context(timeout_seconds))
        except Exception as error:
            write_frame(stream, ERROR, _told(error))
            continue
        try:
            encoded = _encoded(result)
        except (TypeError, ValueError) as error:
            write_frame(stream, ERROR, _told(error, "Runtime.MarshalError"))
            continue
        write_frame(stream, RESULT, encoded)


def load(name: str) -> Handler:
    """The handler `module.function`. Whatever its module raises passes through."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def _encoded(result: Any) -> bytes:
    try:
        return orjson.dumps(result, option=_STRICT)
    except TypeError:
        return json.dumps(result, default=_number, allow_nan=False).encode()


def _number(value: Any) -> float:
    """Lambda takes a Decimal, such as DynamoDB's, and nothing else that JSON has no word for."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _told(error: BaseException, kind: str | None = None) -> bytes:
    """The exception as Lambda tells of it; its traceback goes to the log."""
    traceback.print_exception(error)
    sys.stderr.flush()
    lines = traceback.format_tb(error.__traceback__)[1:]  # the first is this file's
    told = {"errorMessage": str(error), "errorType": kind or type(error).__name__, "stackTrace": lines}
    return json.dumps(told).encode()


def _take_lifeline() -> int:
    """Standard input under another number, so that what a handler starts finds an empty one."""
    lifeline = os.dup(0)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    return lifeline


def _end_with_the_parent(lifeline: int) -> None:
    """For a thread: the parent closes the lifeline by ending, in whatever way; no handler may outlive it."""
    os.read(lifeline, 1)
    import shutil

    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # with what the handler started


def main() -> None:
    descriptor, name, seconds = sys.argv[1:]
    threading.Thread(target=_end_with_the_parent, args=[_take_lifeline()], daemon=True).start()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    with socket.socket(fileno=int(descriptor)) as connection, connection.makefile("rwb") as stream:
        try:
            handler = load(name)
        except BaseException as error:
            write_frame(stream, ERROR, _told(error))
            return
        write_frame(stream, RESULT, b"null")
        serve(stream, handler, float(seconds))


if __name__ == "__main__":
    main()
