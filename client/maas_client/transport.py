"""The connection to a MaaS server: who is calling, and calls carried out, blocking or not."""

import asyncio
import os
import time
import uuid
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from maas_client.calls import (
    ATTEMPT_SECONDS,
    ATTEMPTS,
    CONNECT_SECONDS,
    Answer,
    Call,
    Flow,
    Tries,
    answer_of,
    backoff_seconds,
    fields_of,
    json_body,
    reason,
)
from maas_client.errors import InvalidInput, MaasError
from maas_client.sigv4 import SigV4, aws_host

__all__ = ["DEFAULT_URL", "HTTPX_ERRORS", "AsyncTransport", "Transport", "http_client", "pause", "reason"]

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT = httpx.Timeout(ATTEMPT_SECONDS, connect=CONNECT_SECONDS)
# Connections outlive a pause between calls: a new one to AWS costs several round trips.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL)  # all that a request can raise

_Result = TypeVar("_Result")


class _Server:
    """`url` and `api_key` come from MAAS_URL and MAAS_API_KEY when not given."""

    def __init__(self, url: str | None, api_key: str | None, attempts: int) -> None:
        self.url = (url or os.environ.get("MAAS_URL") or DEFAULT_URL).rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"the URL {self.url!r} is not one: it should look like {DEFAULT_URL} or https://HOST")
        key = api_key or os.environ.get("MAAS_API_KEY")
        if key and not (key.isascii() and key.isprintable()):
            raise InvalidInput("the API key has characters that no header can carry: was it copied whole and alone?")
        signer = None if key else aws_host(parts.hostname)
        self._settings: dict[str, Any] = _settings(self.url) | {
            "headers": {"x-api-key": key} if key else {},
            "auth": SigV4(signer) if signer else None,
        }
        self._attempts = attempts


class Transport(_Server):
    def __init__(self, url: str | None = None, api_key: str | None = None, attempts: int = ATTEMPTS) -> None:
        super().__init__(url, api_key, attempts)
        self._http = httpx.Client(**self._settings)

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str | list[str]] | None = None,
        if_match: str | None = None,
        creating: bool = False,
        repeatable: bool = False,
    ) -> Any:
        """The answer's JSON, with its ETag as `etag`, or None where there is none. `body` goes as JSON.

        Sent again when no answer came or it may be another one later: GETs, `repeatable` calls, which come to the same
        twice, and `creating` ones, by their Idempotency-Key. Raises ApiError, CannotConnect.
        """
        headers = {"if-match": if_match} if if_match else {}
        if creating:
            headers["idempotency-key"] = uuid.uuid4().hex
        content = None if body is None else json_body(body)
        answer = self.send(
            Call(
                method,
                path,
                body=(lambda _: content) if content else None,
                query=query,
                headers=headers,
                safe=creating or repeatable or method == "GET",
            )
        )
        return None if answer.status == 204 else fields_of(answer, self.url)

    def send(self, call: Call) -> Answer:
        """Raises ApiError, CannotConnect."""
        tries = Tries(call, self.url, self._attempts)
        while True:
            outcome: httpx.Response | Exception
            try:
                outcome = self._http.send(self._http.build_request(**tries.request()))
            except HTTPX_ERRORS as error:
                outcome = error
            seconds = tries.pause_after(outcome)
            if seconds is None:
                assert isinstance(outcome, httpx.Response)
                return answer_of(outcome, self.url)
            time.sleep(seconds)

    def run(self, flow: Flow[_Result]) -> _Result:
        """What the flow returns, once each of its calls has been answered."""
        try:
            call = next(flow)
            while True:
                try:
                    answer = self.send(call)
                except MaasError as error:
                    call = flow.throw(error)
                else:
                    call = flow.send(answer)
        except StopIteration as done:
            result: _Result = done.value
            return result


class AsyncTransport(_Server):
    """Of one event loop, as its connections are."""

    def __init__(self, url: str | None = None, api_key: str | None = None, attempts: int = ATTEMPTS) -> None:
        super().__init__(url, api_key, attempts)
        self._http = httpx.AsyncClient(**self._settings)

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, call: Call) -> Answer:
        """As `Transport.send`."""
        tries = Tries(call, self.url, self._attempts)
        while True:
            outcome: httpx.Response | Exception
            try:
                outcome = await self._http.send(self._http.build_request(**tries.request()))
            except HTTPX_ERRORS as error:
                outcome = error
            seconds = tries.pause_after(outcome)
            if seconds is None:
                assert isinstance(outcome, httpx.Response)
                return answer_of(outcome, self.url)
            await asyncio.sleep(seconds)

    async def run(self, flow: Flow[_Result]) -> _Result:
        """As `Transport.run`."""
        try:
            call = next(flow)
            while True:
                try:
                    answer = await self.send(call)
                except MaasError as error:
                    call = flow.throw(error)
                else:
                    call = flow.send(answer)
        except StopIteration as done:
            result: _Result = done.value
            return result


def http_client(url: str) -> httpx.Client:
    """A client for `url` that knows no key and signs nothing."""
    return httpx.Client(**_settings(url))


def _settings(url: str) -> dict[str, Any]:
    """Proxies of the environment are not for this machine, certificates only for https."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    verify = parts.scheme == "https"  # reading the certificate store takes longer than a local request
    return {"timeout": TIMEOUT, "limits": LIMITS, "trust_env": not here, "verify": verify}


def pause(attempt: int) -> None:
    """Sleep before the next attempt."""
    time.sleep(backoff_seconds(attempt))
