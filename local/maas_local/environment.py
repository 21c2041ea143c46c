"""The child process of an execution environment: one process, one handler, one event at a time, as in Lambda.

Run as `python -P environment.py FD HANDLER SECONDS`. The socket FD carries frames: the lengths of head and body, 4
bytes big-endian each, then both. The head of an event is JSON; that of an answer is one byte, RESULT or ERROR, then
JSON. The body is the field `body` of that JSON, where it is "": megabytes of text need not be written as JSON and read
again. The first answer reports whether the handler was imported. The process ends when its standard input, the
lifeline, is closed.
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
from contextlib import suppress
from decimal import Decimal
from typing import Any, Protocol

import orjson

RESULT, ERROR = b"+", b"-"
# orjson encodes more types than Lambda's json: pass those to json, which refuses them.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
Handler = Callable[[Any, "Context"], Any]


class Stream(Protocol):
    """The methods used of a socket's file object."""

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class Context:
    """The attributes of Lambda's context object."""

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


def read_frame(stream: Stream) -> tuple[bytes, bytes] | None:
    """The head and the body of the next frame; None at the end of the stream."""
    lengths = stream.read(8)
    if len(lengths) < 8:
        return None
    return stream.read(int.from_bytes(lengths[:4])), stream.read(int.from_bytes(lengths[4:]))


def write_frame(stream: Stream, kind: bytes, content: bytes, body: bytes = b"") -> None:
    stream.write((len(content) + 1).to_bytes(4) + len(body).to_bytes(4) + kind + content)
    stream.write(body)
    stream.flush()


def serve(stream: Stream, handler: Handler, timeout_seconds: float) -> None:
    """Answer every event until the stream ends."""
    while (frame := read_frame(stream)) is not None:
        try:
            result = handler(_event(*frame), Context(timeout_seconds))
        except Exception as error:
            write_frame(stream, ERROR, _told(error))
            continue
        try:
            encoded, body = _encoded(result)
        except (TypeError, ValueError) as error:
            write_frame(stream, ERROR, _told(error, "Runtime.MarshalError"))
            continue
        write_frame(stream, RESULT, encoded, body)


def load(name: str) -> Handler:
    """Import the handler `module.function`. Raises whatever its module raises."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def _event(head: bytes, body: bytes) -> Any:
    event = orjson.loads(head)
    if body:
        event["body"] = body.decode(errors="replace")
    return event


def _encoded(result: Any) -> tuple[bytes, bytes]:
    """The result as JSON, and its body. Raises TypeError or ValueError for what JSON has not."""
    body = b""
    if type(result) is dict and type(text := result.get("body")) is str:
        result, body = result | {"body": ""}, text.encode()
    try:
        return orjson.dumps(result, option=_STRICT), body
    except TypeError:
        return json.dumps(result, default=_number, allow_nan=False).encode(), body


def _number(value: Any) -> float:
    """Convert a Decimal, as DynamoDB returns: the only type beyond JSON's own that Lambda accepts."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _told(error: BaseException, kind: str | None = None) -> bytes:
    """The exception in Lambda's error format; its traceback goes to the log."""
    traceback.print_exception(error)
    sys.stderr.flush()
    lines = traceback.format_tb(error.__traceback__)[1:]  # the first frame is this file
    told = {"errorMessage": str(error), "errorType": kind or type(error).__name__, "stackTrace": lines}
    return json.dumps(told).encode()


def _take_lifeline() -> int:
    """Move standard input to another descriptor, so that processes started by a handler read an empty one."""
    lifeline = os.dup(0)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    return lifeline


def _end_with_the_parent(lifeline: int) -> None:
    """Kill this process group once the lifeline closes, as it does however the parent ends. Run in a thread."""
    os.read(lifeline, 1)
    import shutil

    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # includes processes started by the handler


def main() -> None:
    descriptor, name, seconds = sys.argv[1:]
    end = threading.Thread(target=_end_with_the_parent, args=[_take_lifeline()], daemon=True)
    end.start()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    with (
        suppress(ConnectionError),  # the parent is gone
        socket.socket(fileno=int(descriptor)) as connection,
        connection.makefile("rwb") as stream,
    ):
        try:
            handler = load(name)
        except BaseException as error:
            write_frame(stream, ERROR, _told(error))
        else:
            write_frame(stream, RESULT, b"null")
            serve(stream, handler, float(seconds))
    end.join()  # it removes the temporary folder, then kills this process


if __name__ == "__main__":
    main()
