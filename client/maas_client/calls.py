"""A call to a MaaS server without I/O: what is sent, when it is sent again, what its answer means."""

import json
import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from maas_client.errors import CannotConnect, InvalidInput, NoAnswerInTime, ServerFailed, api_error

ATTEMPTS = 4
ATTEMPT_SECONDS, CONNECT_SECONDS = 35.0, 10.0  # API Gateway itself gives up after 30
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
LONGEST_RETRY_AFTER_SECONDS = 60.0
MAY_WORK_LATER = {429, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Body:
    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """`body` is told the seconds that are left, if there is a `deadline` (of time.monotonic).

    A `safe` call may be sent twice: it changes nothing, or has an Idempotency-Key.
    """

    method: str
    path: str
    body: Callable[[float | None], Body] | None = None
    query: Mapping[str, str | list[str]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = False
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a call that succeeded. Names in `headers` are in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


_Result = TypeVar("_Result")
Flow = Generator[Call, Answer, _Result]


class Tries:
    """The attempts at one call. Each is a `request` to send and then `pause_after` what came of it."""

    def __init__(self, call: Call, url: str, attempts: int) -> None:
        self._call, self._url = call, url
        self._attempts = attempts if call.safe else 1
        self._made = 0

    def request(self) -> dict[str, Any]:
        """The arguments of httpx's `build_request`. Raises NoAnswerInTime when the call's time is over."""
        call, left = self._call, self._left_seconds()
        if left is not None and left <= 0:
            raise NoAnswerInTime(self._url, "the time for it is over")
        self._made += 1
        body = call.body(left) if call.body else None
        seconds = ATTEMPT_SECONDS if left is None else left
        return {
            "method": call.method,
            "url": self._url + call.path,
            "params": call.query,
            "content": body.content if body else None,
            "headers": {**call.headers, **(body.headers if body else {})},
            "timeout": httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        }

    def pause_after(self, outcome: httpx.Response | Exception) -> float | None:
        """Seconds until the next attempt, or None if this was the last. Raises CannotConnect for what ended it."""
        if isinstance(outcome, httpx.Response):
            if outcome.status_code not in MAY_WORK_LATER:
                return None
            return self._pause(retry_after_seconds(outcome.headers.get("retry-after")))
        # A request that took all its time is not sent again: it would only take it once more.
        hopeless = isinstance(outcome, httpx.ReadTimeout | httpx.WriteTimeout)
        pause = None if hopeless or not isinstance(outcome, httpx.TransportError) else self._pause(None)
        if pause is None:
            kind = NoAnswerInTime if isinstance(outcome, httpx.TimeoutException) else CannotConnect
            raise kind(self._url, reason(outcome)) from outcome
        return pause

    def _pause(self, asked_seconds: float | None) -> float | None:
        if self._made >= self._attempts or (asked_seconds or 0) > LONGEST_RETRY_AFTER_SECONDS:
            return None
        pause, left = backoff_seconds(self._made) + (asked_seconds or 0), self._left_seconds()
        return None if left is not None and pause >= left else pause

    def _left_seconds(self) -> float | None:
        return None if self._call.deadline is None else self._call.deadline - time.monotonic()


def backoff_seconds(attempt: int) -> float:
    """How long to wait after the `attempt`th, longer each time and never quite the same as other clients."""
    return min(PAUSE_SECONDS * 2.0 ** (attempt - 1), LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1)


def retry_after_seconds(header: str | None) -> float | None:
    """What Retry-After says, in seconds or as a date; None where it says nothing that can be read."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def answer_of(response: httpx.Response, url: str) -> Answer:
    """Raises ApiError for a refusal, CannotConnect for what MaaS would not send."""
    status = response.status_code
    if response.is_success:
        return Answer(status, response.headers, response.content)
    try:
        said = response.json()
    except ValueError:
        said = None
    refusal = said if isinstance(said, dict) else {}
    message = refusal.get("error") or refusal.get("message")  # API Gateway's own refusals say "message"
    if not message and (status in (401, 403, 429) or status >= 500):
        message = response.reason_phrase or "no reason given"
    if not message:
        raise CannotConnect(url, f"HTTP {status} that MaaS would not send")
    error = api_error(status, str(message), refusal.get("field"), refusal.get("current"))
    if isinstance(error, ServerFailed):
        error.retry_after_seconds = retry_after_seconds(response.headers.get("retry-after"))
    raise error


def fields_of(answer: Answer, url: str) -> dict[str, Any]:
    """The fields of a JSON object, none for null, and its ETag as `etag`. Raises CannotConnect for anything else."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        said = ""
    if said is not None and not isinstance(said, dict):
        raise CannotConnect(url, f"HTTP {answer.status} that MaaS would not send")
    return (said or {}) | {"etag": answer.headers.get("etag")}


def json_body(value: Any, *, bare: bool = False) -> Body:
    """Raises InvalidInput for what JSON has no form for; NaN and infinities may go `bare`, which MaaS reads."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=bare)
        return Body(text.encode(), {"content-type": "application/json"})
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the request cannot be written as JSON: {error}") from None


def reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def path_of(*parts: str | int) -> str:
    """The path of these parts, each of them one segment. Raises InvalidInput for one that would lead elsewhere."""
    for part in parts:
        if str(part) in ("", ".", ".."):
            raise InvalidInput(f"{str(part)!r} is no name")
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def inference_path(model: str, version: str | int | None, *rest: str) -> str:
    which = () if version is None else ("versions", version)
    return path_of("v2", "models", model, *which, *rest)


def deadline_after(timeout_seconds: float | None) -> float | None:
    if timeout_seconds is None:
        return None
    if not timeout_seconds > 0:
        raise InvalidInput(f"a timeout of {timeout_seconds} s leaves no time: give more than 0, or None")
    return time.monotonic() + timeout_seconds
