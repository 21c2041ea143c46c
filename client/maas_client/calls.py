"""A call to a MaaS server, without I/O: its request and its answer."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from numbers import Integral
from typing import Any
from urllib.parse import quote

import httpx

from maas_client.arguments import by_name, moment, seconds, text, texts
from maas_client.errors import (
    NO_SERVER,
    CannotConnect,
    InvalidInput,
    InvalidResponse,
    NoAnswerInTime,
    ServerFailed,
    api_error,
)
from maas_client.name_rules import are_headers
from maas_client.reading import parse
from maas_client.retries import TryAgain, retry_after_seconds

ATTEMPTS = 4
ATTEMPT_SECONDS, CONNECT_SECONDS = 35.0, 10.0  # API Gateway times out after 30
OTHER_CERTIFICATES = "set SSL_CERT_FILE to the certificates that your network uses"
MAX_MESSAGE = 4000  # of a refusal, in characters
MORE_TIME = "give it more time, or use infer_later (`maas predict --later`)"
MAY_WORK_LATER = {429, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Body:
    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """`body` makes the body from the seconds left, which are None without a `deadline` (of time.monotonic).

    A `safe` call may be sent twice: it changes nothing, or has an Idempotency-Key.
    """

    method: str
    path: str
    body: Callable[[float | None], Body] | None = None
    query: Mapping[str, str | list[str]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = False
    deadline: float | None = None

    def request(self, url: str) -> dict[str, Any]:
        """The arguments of httpx's `build_request`. Raises NoAnswerInTime after the deadline, InvalidInput."""
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            raise NoAnswerInTime(url, "its time is over", MORE_TIME)
        if not are_headers(self.headers):  # ETags, addresses to notify, those of the caller
            raise InvalidInput(f"no header can carry {', '.join(map(repr, self.headers.values())):.200}")
        own = {name.lower(): value for name, value in self.headers.items()}
        body = self.body(left) if self.body else None
        seconds = ATTEMPT_SECONDS if left is None else left
        return {
            "method": self.method,
            "url": url + self.path,
            "params": self.query,
            "content": body.content if body else None,
            "headers": {"accept-encoding": "gzip, deflate", **own, **(body.headers if body else {})},
            "timeout": httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a successful call. `headers` are looked up without case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def connection_failure(error: Exception, url: str, proxy_variable: str) -> Exception:
    """The exception for an error of httpx: TryAgain, unless time is used up or no attempt can succeed."""
    took_all_its_time = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
    is_distrusted = any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error))
    hint = MORE_TIME if took_all_its_time else OTHER_CERTIFICATES if is_distrusted else NO_SERVER
    kind = NoAnswerInTime if isinstance(error, httpx.TimeoutException) else CannotConnect
    through = f", through the proxy of {proxy_variable}" if proxy_variable else ""
    failure = kind(url, reason(error) + through, hint)
    failure.__cause__ = error
    is_final = took_all_its_time or is_distrusted or not isinstance(error, httpx.TransportError)
    return failure if is_final else TryAgain(failure)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def answer_of(response: httpx.Response, content: bytes, url: str) -> Answer:
    """Raises ApiError for an error status, TryAgain if it is worth a retry, InvalidResponse for other answers."""
    status = response.status_code
    if response.is_success:
        return Answer(status, response.headers, content)
    if "location" in response.headers:  # never followed: the key is for this host
        to = response.headers["location"]
        raise InvalidResponse(f"{url} redirects to {to:.200}: if that is the server, set MAAS_URL or --url to it")
    try:
        said = parse(content)
    except InvalidResponse:
        said = None
    refusal = said if isinstance(said, dict) else {}
    message = refusal.get("error") or refusal.get("message")  # API Gateway's own refusals say "message"
    if not message and (status in (401, 403, 429) or status >= 500):
        message = response.reason_phrase or "no reason given"
    if not message:
        raise not_maas(url, status)
    error = api_error(status, str(message)[:MAX_MESSAGE], *_details(refusal))
    if isinstance(error, ServerFailed):
        error.retry_after_seconds = retry_after_seconds(response.headers.get("retry-after"))
        if status in MAY_WORK_LATER:
            raise TryAgain(error, error.retry_after_seconds)
    raise error


def _details(refusal: dict[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
    """`field` and `current` of an error; None where they have another type."""
    field_, current = refusal.get("field"), refusal.get("current")
    return field_ if isinstance(field_, str) else None, current if isinstance(current, dict) else None


def fields_of(answer: Answer, url: str) -> dict[str, Any]:
    """The JSON object of an answer ({} for null), with its ETag as `etag`. Raises InvalidResponse for other JSON."""
    try:
        said = parse(answer.content)
    except InvalidResponse as error:
        raise not_maas(url, answer.status) from error
    if said is not None and not isinstance(said, dict):
        raise not_maas(url, answer.status)
    return (said or {}) | {"etag": answer.headers.get("etag")}


def not_maas(url: str, status: int) -> InvalidResponse:
    return InvalidResponse(f"{url} answered HTTP {status} as MaaS never does: is it the URL of a MaaS server?")


def json_body(value: Any, *, bare: bool = False) -> Body:
    """Raises InvalidInput for values that JSON cannot hold. `bare` writes NaN and Infinity, which MaaS reads."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=bare)
        return Body(text.encode(), {"content-type": "application/json"})
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the request cannot be written as JSON: {error}") from None


def reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def path_of(*parts: str | int) -> str:
    """A path of quoted segments. Raises InvalidInput for an empty segment, . and .."""
    for part in parts:
        if not isinstance(part, str | Integral) or str(part) in ("", ".", ".."):
            raise InvalidInput(f"{part!r:.80} is no name")
        if "@" in str(part):
            raise InvalidInput(f"{part!r:.80} is no name: a version or alias is an argument of its own")
    try:
        return "/" + "/".join(quote(str(part), safe="") for part in parts)
    except UnicodeEncodeError as error:  # a lone surrogate
        raise InvalidInput(f"{error.object!r:.80} is no name") from None


def api_path(*parts: str | int) -> str:
    """A path of the management API."""
    return path_of("api", "v1", *parts)


def inference_path(model: str, version: str | int | None, *rest: str) -> str:
    which = () if version is None else ("versions", version)
    return path_of("v2", "models", model, *which, *rest)


def deadline_after(timeout_seconds: float | None) -> float | None:
    return None if timeout_seconds is None else time.monotonic() + seconds("timeout_seconds", timeout_seconds)


def seconds_until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def filters(**values: str | bool | list[str] | tuple[str, ...] | None) -> dict[str, str | list[str]]:
    """Query parameters, without those that are empty. Raises InvalidInput."""
    return {name: _filter(name, value) for name, value in values.items() if value}


def _filter(name: str, value: object) -> str | list[str]:
    if isinstance(value, bool):
        return "true"
    return texts(name, value) if isinstance(value, list | tuple) else text(name, value)


def times(start: datetime | None, end: datetime | None) -> dict[str, str | list[str]]:
    """The query parameters `from` and `to`, without those that are None. Raises InvalidInput."""
    given = {"from": ("start", start), "to": ("end", end)}
    return {name: moment(*one).isoformat() for name, one in given.items() if one[1] is not None}


def changes(description: str | None, tags: Mapping[str, str | None] | None) -> dict[str, Any]:
    """The body of an update: changed fields only. Raises InvalidInput."""
    return ({} if description is None else {"description": description}) | {"tags": by_name("tags", tags or {})}


def batch_body(
    model: str,
    version: str | int | None,
    output: str | None,
    notify: str | None,
    shadow: Mapping[str, Any] | None,
    **options: str | int | Sequence[str] | None,
) -> dict[str, Any]:
    """The request body of a batch, without options that are None."""
    given = {
        name: value if isinstance(value, str | int) else texts(name, value)
        for name, value in options.items()
        if value is not None
    }
    wanted: dict[str, Any] = {"version": None if version is None else str(version), "output": output, "notify": notify}
    wanted |= {"shadow": None if shadow is None else by_name("shadow", shadow)}
    return {"model": model, "options": given} | {name: value for name, value in wanted.items() if value is not None}
