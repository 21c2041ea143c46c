# Made from _async/transport.py by client/generate_sync.py: change that file.
"""The connection to a MaaS server: sends and retries calls, reads answers."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from maas_client._sync.backend import Connections, http_client, sleep, until
from maas_client.arguments import count
from maas_client.calls import Answer, Call, answer_of, connection_failure, fields_of, json_body
from maas_client.errors import InvalidResponse
from maas_client.reading import Page, field_of, read
from maas_client.retries import Retries, TryAgain
from maas_client.settings import Route, Server

PAGE = 100
MAX_ANSWER_BYTES = 1 << 28  # unpacked
MAX_PAGES = 100_000  # of a list
ENCODINGS = ("", "identity", "gzip", "deflate")  # one of them: each more could multiply a piece by a thousand
HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL)  # all that a request can raise

_Result = TypeVar("_Result")


def retried(attempt: Callable[[], _Result], retries: Retries) -> _Result:
    """The result of the first attempt that does not raise TryAgain."""
    while True:
        try:
            return attempt()
        except TryAgain as failed:
            pause_seconds = retries.pause_after(failed)
        sleep(pause_seconds)


def next_token(token: str, asked: Mapping[str, object]) -> str:
    """Raises InvalidResponse for the token of the page itself, with which a list never ends, and for other text."""
    if not token.isascii():
        raise InvalidResponse(f"the answer's next_page_token is {token!r:.80}")
    if token == asked.get("page_token"):
        raise InvalidResponse("the answer's next_page_token is that of the page itself")
    return token


class Transport:
    def __init__(self, server: Server, attempts: int) -> None:
        self.url = server.url
        self._server, self._attempts = server, attempts
        route = Route.to(server.url)
        self._proxy_variable = route.proxy_variable
        self._connections = Connections(lambda: http_client(route, **server.caller))

    def __reduce__(self) -> tuple[Any, ...]:
        return Transport, (self._server, self._attempts)

    def close(self) -> None:
        self._connections.close()

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
        deadline: float | None = None,
    ) -> Any:
        """The answer's JSON, with its ETag as `etag`, or None where there is none. `body` goes as JSON.

        Retries GETs, `repeatable` calls, which are idempotent, and `creating` ones, by their Idempotency-Key.
        Raises ApiError, CannotConnect, InvalidResponse.
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
                deadline=deadline,
            )
        )
        return None if answer.status == 204 else fields_of(answer, self.url)

    def pages(
        self, path: str, key: str, kind: type[_Result], limit: int | None, query: Mapping[str, str | list[str]]
    ) -> list[_Result]:
        """The items `key` of every page, or the first `limit`."""
        asked, found = dict(query), list[_Result]()
        limit = None if limit is None else count("limit", limit)
        for _ in range(MAX_PAGES):
            asked["limit"] = str(PAGE if limit is None else min(limit - len(found), PAGE))
            answer = self.call("GET", path, query=asked)
            found += [
                read(kind, one, f"{key}[{index}]") for index, one in enumerate(field_of(answer, key, tuple[Any, ...]))
            ]
            token = read(Page, answer).next_page_token
            if not token or (limit is not None and len(found) >= limit):
                return found
            asked["page_token"] = next_token(token, asked)
        raise InvalidResponse(f"the list has more than {MAX_PAGES:,} pages")

    def purge(self, path: str) -> bool:
        """Whether nothing is left to purge."""
        answer = self.call("DELETE", path, query={"purge": "true"})
        return answer is None  # 204; while it goes on, 202

    def send(self, call: Call) -> Answer:
        """Raises ApiError, CannotConnect."""

        def attempt() -> Answer:
            http = self._connections.client()
            try:
                request = http.build_request(**call.request(self.url))
                with until(call.deadline):
                    response = http.send(request, stream=True)
                    try:
                        content = self._content(response)
                    finally:
                        response.close()
            except HTTPX_ERRORS as error:
                raise connection_failure(error, self.url, self._proxy_variable) from error
            return answer_of(response, content, self.url)

        return retried(attempt, Retries(self._attempts if call.safe else 1, call.deadline))

    def _content(self, response: httpx.Response) -> bytes:
        """The body without its content encoding. Raises InvalidResponse, also beyond MAX_ANSWER_BYTES."""
        pieces, size_bytes = [], 0
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise InvalidResponse(f"{self.url} answers with the content encoding {encoding!r:.80}: not asked for")
        for piece in response.iter_bytes():
            pieces.append(piece)
            size_bytes += len(piece)
            if size_bytes > MAX_ANSWER_BYTES:
                raise InvalidResponse(f"{self.url} answers with more than {MAX_ANSWER_BYTES:,} bytes")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
