"""One HTTP call to a MaaS server: who is calling, when to try again, what an answer means."""

import os
import random
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from maas_client.errors import CannotConnect, InvalidInput, api_error
from maas_client.sigv4 import SigV4, aws_host

DEFAULT_URL = "http://127.0.0.1:8080"
ATTEMPTS = 4
TIMEOUT = httpx.Timeout(35, connect=10)  # seconds; API Gateway itself gives up after 30
PAUSE_SECONDS = 0.2
MAY_WORK_LATER = {429, 502, 503, 504}


class Transport:
    """`url` and `api_key` come from MAAS_URL and MAAS_API_KEY when not given."""

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        self.url = (url or os.environ.get("MAAS_URL") or DEFAULT_URL).rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"the URL {self.url!r} is not one: it should look like {DEFAULT_URL} or https://HOST")
        key = api_key or os.environ.get("MAAS_API_KEY")
        signer = None if key else aws_host(parts.hostname)
        self._http = http_client(
            self.url, headers={"x-api-key": key} if key else {}, auth=SigV4(signer) if signer else None
        )

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
        repeatable: bool | None = None,
        creating: bool = False,
    ) -> Any:
        """The answer's JSON, with its ETag as `etag`, or None where there is none. `body` goes as JSON.

        `repeatable` calls (by default all but POST and those with `if_match`) are sent again when no answer came or it
        may be another one later. `creating` calls are too, with an Idempotency-Key, so that nothing is made twice.
        Raises ApiError, CannotConnect.
        """
        if repeatable is None:
            repeatable = creating or (method != "POST" and not if_match)
        attempts = ATTEMPTS if repeatable else 1
        headers = {"if-match": if_match} if if_match else {}
        if creating:
            headers["idempotency-key"] = uuid.uuid4().hex
        request = self._http.build_request(method, self.url + path, json=body, params=query, headers=headers)
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            try:
                response = self._http.send(request)
            except (httpx.ConnectError, httpx.TimeoutException) as error:  # trying again would only hide it
                raise CannotConnect(self.url, reason(error)) from error
            except httpx.TransportError as error:
                if last:
                    raise CannotConnect(self.url, reason(error)) from error
            else:
                if last or response.status_code not in MAY_WORK_LATER:
                    return self._answer(response)
            pause(attempt)
        raise AssertionError("unreachable")

    def _answer(self, response: httpx.Response) -> Any:
        if response.status_code == 204:
            return None
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.is_success and (isinstance(answer, dict) or response.content == b"null"):
            return (answer or {}) | {"etag": response.headers.get("etag")}
        if not response.is_success and isinstance(answer, dict):
            message = answer.get("error") or answer.get("message")  # API Gateway's own refusals say "message"
            if message:
                raise api_error(response.status_code, str(message), answer.get("field"), answer.get("current"))
        if response.status_code in (401, 403, 429) or response.status_code >= 500:
            raise api_error(response.status_code, response.reason_phrase or "no reason given")
        raise CannotConnect(self.url, f"HTTP {response.status_code} that MaaS would not send")


def http_client(url: str, **settings: Any) -> httpx.Client:
    """A client for `url`: proxies of the environment are not for this machine, certificates only for https."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    verify = parts.scheme == "https"  # reading the certificate store takes longer than a local request
    return httpx.Client(timeout=TIMEOUT, trust_env=not here, verify=verify, **settings)


def reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def pause(attempt: int) -> None:
    """Sleep before the next attempt, longer each time and never quite the same as other clients."""
    time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1))
