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
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import IO, Any

import orjson

RESULT, ERROR = b"+", b"-"
# orjson encodes more types than Lambda's json: pass those to json, which refuses them.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
Handler = Callable[[Any, "Context"], Any]


class Context:
    """The attributes of Lambda's context object. Those that few handlers read are made when they are read."""

    def __init__(self, timeout_seconds: float) -> None:
        self.aws_request_id = _uuid()
        self._deadline = time.monotonic() + timeout_seconds

    @property
    def function_name(self) -> str:
        return os.environ["AWS_LAMBDA_FUNCTION_NAME"]

    @property
    def function_version(self) -> str:
        return os.environ["AWS_LAMBDA_FUNCTION_VERSION"]

    @property
    def memory_limit_in_mb(self) -> str:
        return os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]

    @property
    def log_group_name(self) -> str:
        return os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]

    @property
    def log_stream_name(self) -> str:
        return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def _uuid() -> str:
    """A random one (version 4), in a tenth of the time of the module uuid."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def read_frame(events: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The head and the body of the next frame; None at the end of the stream."""
    lengths = events.read(8)
    if len(lengths) < 8:
        return None
    return events.read(int.from_bytes(lengths[:4])), events.read(int.from_bytes(lengths[4:]))


def write_frame(answers: IO[bytes], kind: bytes, content: bytes, body: bytes = b"") -> None:
    answers.write((len(content) + 1).to_bytes(4) + len(body).to_bytes(4) + kind + content)
    answers.write(body)
    answers.flush()


def serve(events: IO[bytes], answers: IO[bytes], handler: Handler, timeout_seconds: float) -> None:
    """Answer every event until there are no more."""
    while (frame := read_frame(events)) is not None:
        try:
            result = handler(_event(*frame), Context(timeout_seconds))
        except Exception as error:
            write_frame(answers, ERROR, _told(error))
            continue
        try:
            encoded, body = _encoded(result)
        except (TypeError, ValueError) as error:
            write_frame(answers, ERROR, _told(error, "Runtime.MarshalError"))
            continue
        write_frame(answers, RESULT, encoded, body)


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
        open(int(descriptor), "rb", closefd=False) as events,  # a socket's own file object is slow Python
        open(int(descriptor), "wb") as answers,
    ):
        try:
            handler = load(name)
        except BaseException as error:
            write_frame(answers, ERROR, _told(error))
        else:
            write_frame(answers, RESULT, b"null")
            serve(events, answers, handler, float(seconds))
    end.join()  # it removes the temporary folder, then kills this process


if __name__ == "__main__":
    main()
