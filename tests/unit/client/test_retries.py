"""When a call is sent again, and when it must not be."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

from maas_client import (
    AsyncMaasClient,
    CannotConnect,
    DeadlineExceeded,
    InvalidInput,
    MaasClient,
    MaasError,
    NoAnswerInTime,
    ServerFailed,
    TooManyRequests,
    Unavailable,
)
from maas_client.retries import retry_after_seconds
from support.server.clients import client_of
from support.server.server import HANG_UP, Drip, inferences
from support.server.server import ContractServer as Server

X = {"x": np.ones((1, 2), np.float32)}
LONG = 20.0  # seconds that the server takes, which no test waits for
Refusal = tuple[int, dict[str, str], bytes]


def refusal(status: int, **headers: str) -> Refusal:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, b'{"error": "not now"}'


def test_inference_retried(server: Server, maas: Any) -> None:
    server.trouble = inferences(refusal(503), HANG_UP, refusal(429))
    assert maas.infer("echo", X)["y0"].tolist() == [[1, 1]]
    assert len(server.seen) == 4


@pytest.mark.parametrize(("status", "error"), [(429, TooManyRequests), (503, Unavailable), (504, DeadlineExceeded)])
def test_attempt_limit(server: Server, kind: str, status: int, error: type[ServerFailed]) -> None:
    server.trouble = inferences(refusal(status)) * 9
    with client_of(kind, server.url, attempts=2) as maas, pytest.raises(error, match="not now") as caught:
        maas.infer("echo", X)
    assert (len(server.seen), caught.value.status) == (2, status)


@pytest.mark.parametrize("status", [400, 404, 413, 500, 501, 507])
def test_final_refusals_not_retried(server: Server, maas: Any, status: int) -> None:
    server.trouble = inferences(refusal(status)) * 2
    with pytest.raises(MaasError):
        maas.infer("echo", X)
    assert len(server.seen) == 1


def test_retry_after_waited_for(server: Server, maas: Any) -> None:
    server.trouble = inferences(refusal(429, retry_after="1"))
    started = time.monotonic()
    maas.infer("echo", X)
    assert 1 <= time.monotonic() - started < 30


def test_long_retry_after_raises(server: Server, maas: Any) -> None:
    server.trouble = inferences(refusal(503, retry_after="3600"), refusal(503, retry_after="5"))
    with pytest.raises(Unavailable) as caught:
        maas.infer("echo", X)
    assert caught.value.retry_after_seconds == 3600
    with pytest.raises(Unavailable):
        maas.infer("echo", X, timeout_seconds=2)
    assert len(server.seen) == 2


def test_retry_after_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500 < (retry_after_seconds(at) or 0) <= 3600
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after_seconds("soon") is None
    assert retry_after_seconds("-1") is None


def test_timeout_spans_attempts_and_is_sent(server: Server, maas: Any) -> None:
    server.trouble = inferences(LONG, refusal(503), 0.5)
    with pytest.raises(NoAnswerInTime):
        maas.infer("echo", X, timeout_seconds=0.2)
    assert maas.infer("echo", X, timeout_seconds=60)
    lengths = [int(headers["inference-header-content-length"]) for _, _, headers, _ in server.seen]
    documents = [json.loads(body[:length]) for (*_, body), length in zip(server.seen, lengths, strict=True)]
    first, _, last = [document["parameters"]["timeout"] for document in documents]
    assert first <= 200_000
    assert last < 59_900_000  # what the first attempt and the pause have left
    with pytest.raises(InvalidInput, match="leaves no time"):
        maas.infer("echo", X, timeout_seconds=0)


def test_client_timeout_per_call(server: Server, kind: str) -> None:
    server.trouble = inferences(LONG)
    with client_of(kind, server.url, timeout_seconds=0.2) as maas:
        with pytest.raises(NoAnswerInTime):
            maas.infer("echo", X)
        assert maas.infer("echo", X, timeout_seconds=60)


def test_changes_sent_once(server: Server, maas: Any) -> None:
    for trouble, error in ((503, Unavailable), (HANG_UP, CannotConnect), (429, TooManyRequests)):
        server.trouble = [("/rollback", trouble)]
        with pytest.raises(error):
            maas.aliases.rollback("echo", "production")
    assert len(server.seen) == 3


def test_no_server(kind: str) -> None:
    with client_of(kind, "http://127.0.0.1:9", attempts=2) as maas, pytest.raises(CannotConnect, match="maas local"):
        maas.infer("echo", X)
    with client_of(kind, "http://127.0.0.1:9", timeout_seconds=0.3, attempts=1000) as maas:
        started = time.monotonic()
        with pytest.raises(CannotConnect):
            maas.infer("echo", X)
        assert time.monotonic() - started < 60  # a thousand attempts take an hour


def test_broken_compression_odd_keys_and_names(server: Server, maas: Any) -> None:
    server.trouble = inferences((200, {"content-encoding": "gzip"}, b"this is not gzip"))
    with pytest.raises(CannotConnect):
        maas.infer("echo", X)
    with pytest.raises(InvalidInput, match="api_key contains a blank"):
        MaasClient(server.url, "kéy\n")
    for name in ("", ".."):
        with pytest.raises(InvalidInput, match="is no name"):
            maas.infer(name, X)
    assert len(server.seen) == 1


DRIP_SECONDS = 0.1  # an answer takes 100 seconds so
ENOUGH = 50  # for a call with half a second, on a busy machine
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"


@pytest.mark.parametrize("raw", [HEAD[:17] + b"x-slow: " + b"y" * 1000, HEAD + b" " * 1000], ids=["headers", "body"])
def test_deadline_of_dripping_answers(server: Server, maas: Any, raw: bytes) -> None:
    server.trouble = inferences(Drip(raw, DRIP_SECONDS))
    started = time.monotonic()
    with pytest.raises(NoAnswerInTime, match="give it more time"):
        maas.infer("echo", X, timeout_seconds=0.5)
    assert 0.4 < time.monotonic() - started < ENOUGH
    assert maas.infer("echo", X, timeout_seconds=60)["y0"].tolist() == [[1, 1]]  # on another connection


def test_deadline_of_a_dripping_signature(server: Server, maas: Any) -> None:
    server.trouble = [("GET", Drip(HEAD + b" " * 1000, DRIP_SECONDS))]
    started = time.monotonic()
    with pytest.raises(NoAnswerInTime):
        maas.infer("echo", [[1, 2]], timeout_seconds=0.5)
    assert time.monotonic() - started < ENOUGH


def test_async_inferences_overlap(server: Server) -> None:
    async def all_at_once() -> list[dict[str, np.ndarray]]:
        async with AsyncMaasClient(server.url) as maas:
            return await asyncio.gather(*[maas.infer("echo", X) for _ in range(8)])

    server.trouble = inferences(2.0) * 8
    assert len(asyncio.run(all_at_once())) == 8
    assert server.connections == 8  # one after another would share one
