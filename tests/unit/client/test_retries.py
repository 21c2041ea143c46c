"""When a call is sent again, and when it must not be."""

import asyncio
import time
from collections.abc import Iterator
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
from maas_client.calls import retry_after_seconds
from unit.client.test_server import OipServer, client_of, oip_server

X = {"x": np.ones((1, 2), np.float32)}
Refusal = tuple[int, dict[str, str], bytes]


def refusal(status: int, **headers: str) -> Refusal:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, b'{"error": "not now"}'


@pytest.fixture
def server() -> Iterator[OipServer]:
    with oip_server() as server:
        yield server


@pytest.fixture(params=["blocking", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def maas(server: OipServer, kind: str) -> Iterator[Any]:
    with client_of(kind, server.url) as client:
        yield client


def test_inference_is_sent_again_until_it_is_answered(server: OipServer, maas: Any) -> None:
    server.script = [refusal(503), None, refusal(429)]
    assert maas.predict("echo", X)["y0"].tolist() == [[1, 1]]
    assert len(server.seen) == 4


@pytest.mark.parametrize(("status", "error"), [(429, TooManyRequests), (503, Unavailable), (504, DeadlineExceeded)])
def test_attempts_come_to_an_end(server: OipServer, kind: str, status: int, error: type[ServerFailed]) -> None:
    server.script = [refusal(status)] * 9
    with client_of(kind, server.url, attempts=2) as maas, pytest.raises(error, match="not now") as caught:
        maas.predict("echo", X)
    assert (len(server.seen), caught.value.status) == (2, status)


@pytest.mark.parametrize("status", [400, 404, 413, 500, 501, 507])
def test_what_will_not_change_is_not_asked_again(server: OipServer, maas: Any, status: int) -> None:
    server.script = [refusal(status)] * 2
    with pytest.raises(MaasError):
        maas.predict("echo", X)
    assert len(server.seen) == 1


def test_retry_after_is_waited_for(server: OipServer, maas: Any) -> None:
    server.script = [refusal(429, retry_after="1")]
    started = time.monotonic()
    maas.predict("echo", X)
    assert 1 <= time.monotonic() - started < 3


def test_retry_after_that_is_too_long_ends_it(server: OipServer, maas: Any) -> None:
    server.script = [refusal(503, retry_after="3600"), refusal(503, retry_after="5")]
    with pytest.raises(Unavailable) as caught:
        maas.predict("echo", X)
    assert caught.value.retry_after_seconds == 3600
    with pytest.raises(Unavailable):
        maas.predict("echo", X, timeout_seconds=2)
    assert len(server.seen) == 2


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 < (retry_after_seconds(at) or 0) <= 30
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after_seconds("soon") is None
    assert retry_after_seconds("-1") is None


def test_the_callers_time_is_for_all_attempts_and_the_server_is_told(server: OipServer, maas: Any) -> None:
    server.script = [0.5, refusal(503), 0.5]
    started = time.monotonic()
    with pytest.raises(NoAnswerInTime):
        maas.predict("echo", X, timeout_seconds=0.2)
    assert maas.predict("echo", X, timeout_seconds=5)
    assert time.monotonic() - started < 3
    first, last = [request["parameters"]["timeout"] for request in server.requests]
    assert first <= 200_000
    assert last < 4_900_000  # what the first attempt and the pause have left
    with pytest.raises(InvalidInput, match="leaves no time"):
        maas.predict("echo", X, timeout_seconds=0)


def test_a_clients_timeout_is_for_each_call(server: OipServer, kind: str) -> None:
    server.script = [0.5]
    with client_of(kind, server.url, timeout_seconds=0.2) as maas:
        with pytest.raises(NoAnswerInTime):
            maas.predict("echo", X)
        assert maas.predict("echo", X)


def test_changes_are_sent_once_whatever_comes(server: OipServer) -> None:
    server.script = [refusal(503), None, refusal(429)]
    with MaasClient(server.url) as maas:
        with pytest.raises(Unavailable):
            maas.roll_back("echo", "production")
        with pytest.raises(CannotConnect):
            maas.roll_back("echo", "production")
        with pytest.raises(TooManyRequests):
            maas.roll_back("echo", "production")
    assert len(server.seen) == 3


def test_nobody_there_is_no_error_of_the_http_library(kind: str) -> None:
    with client_of(kind, "http://127.0.0.1:9", attempts=2) as maas, pytest.raises(CannotConnect, match="maas local"):
        maas.predict("echo", X)
    with client_of(kind, "http://127.0.0.1:9", timeout_seconds=0.3) as maas:
        started = time.monotonic()
        with pytest.raises(CannotConnect):
            maas.predict("echo", X)
        assert time.monotonic() - started < 1


def test_broken_compression_and_odd_keys_are_typed(server: OipServer, maas: Any) -> None:
    server.script = [(200, {"content-encoding": "gzip"}, b"this is not gzip")]
    with pytest.raises(CannotConnect):
        maas.predict("echo", X)
    with pytest.raises(InvalidInput, match="was it copied whole"):
        MaasClient(server.url, "kéy\n")
    for name in ("", ".."):
        with pytest.raises(InvalidInput, match="is no name"):
            maas.predict(name, X)
    assert len(server.seen) == 1


def test_connections_are_kept(server: OipServer, maas: Any) -> None:
    for _ in range(5):
        maas.predict("echo", X)
    maas.metadata("echo")
    assert server.connections == 1


def test_predictions_overlap(server: OipServer) -> None:
    async def all_at_once() -> list[dict[str, np.ndarray]]:
        async with AsyncMaasClient(server.url) as maas:
            return await asyncio.gather(*[maas.predict("echo", X) for _ in range(8)])

    server.script = [0.3] * 8
    started = time.monotonic()
    assert len(asyncio.run(all_at_once())) == 8
    assert time.monotonic() - started < 8 * 0.3
