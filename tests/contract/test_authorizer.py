"""The authorizer over keys in the table, on both engines: who is let in, until when, how often."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from maas.access.keys_table import Keys
from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.errors import InvalidRequest
from maas.registry.state import table_rows
from maas.times import canonical
from support.key_checks import ADMIN, asked, authorizer

HOUR = timedelta(hours=1)


class Clock(datetime):
    """The authorizer's; a test moves it."""

    time: datetime

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return cls.time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    Clock.time = datetime.now(UTC)
    monkeypatch.setattr("maas.access.authorizer.datetime", Clock)
    return Clock


def test_valid_key_gets_its_scopes(keys: Keys, reads: Keys) -> None:
    key, text = keys.create("ci", ["models:read", "infer:a"], ADMIN)
    context = {"actor": f"key:{key.id}", "name": "ci", "scopes": "models:read infer:a"}
    found = authorizer(reads)
    for headers in (
        {"x-api-key": text},
        {"X-API-Key": f" {text} "},
        {"Authorization": f"Bearer {text}"},
        {"authorization": f"bearer  {text}"},
        {"authorization": "Basic abc", "x-api-key": text},
    ):
        assert found.context(headers) == context, headers


def test_invalid_keys_are_refused(keys: Keys, reads: Keys) -> None:
    key, text = keys.create("ci", ["admin"], ADMIN)
    other, _ = keys.create("other", ["admin"], ADMIN)
    found = authorizer(reads)
    secret = text.rpartition("_")[2]
    for headers, refusal in (
        ({}, "the request has no API key"),
        ({"authorization": "Basic YTpi"}, "the request has no API key"),
        ({"authorization": text}, "the request has no API key"),
        ({"x-api-key": ""}, "this API key is not known"),
        ({"x-api-key": f"maas_{other.id}_{secret}"}, "this API key is not known"),
        ({"x-api-key": f"maas_{'f' * 16}_{secret}"}, "this API key is not known"),
        ({"x-api-key": text[:-1]}, "this API key is not known"),
        ({"x-api-key": text + "0"}, "this API key is not known"),
        ({"x-api-key": "junk", "authorization": f"Bearer {text}"}, "this API key is not known"),
    ):
        assert found.context(headers) == {"refusal": refusal}, headers
    tampered = [text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :] for at in range(len(text))]
    assert {str(asked(found, one)) for one in tampered} == {str({"refusal": "this API key is not known"})}
    assert asked(found, text)["actor"] == key.actor


def test_only_the_configured_header_is_read(keys: Keys, reads: Keys) -> None:
    """API Gateway caches by that header: a key in another header would give access to all who send the same junk."""
    _, text = keys.create("ci", ["admin"], ADMIN)
    both = {"authorization": "Bearer junk", "x-api-key": text}
    assert "refusal" in authorizer(reads, "authorization").context(both)
    assert "actor" in authorizer(reads, "x-api-key").context(both)
    assert "refusal" in authorizer(reads, "x-api-key").context({"authorization": f"Bearer {text}"})


def test_expired_and_revoked_keys_are_refused(keys: Keys, reads: Keys, clock: type[Clock]) -> None:
    found = authorizer(reads, ttl_seconds=0)
    soon = clock.time + HOUR
    _, expiring = keys.create("expiring", ["jobs"], ADMIN, good_until=soon)
    assert "actor" in asked(found, expiring)
    revoked, text = keys.create("revoked", ["jobs"], ADMIN)
    assert "actor" in asked(found, text)
    keys.revoke(revoked.id, ADMIN)
    assert asked(found, text)["refusal"] == "this API key is revoked"
    clock.time = soon
    assert asked(found, expiring)["refusal"] == "this API key has expired"
    with pytest.raises(InvalidRequest, match="expected one in the future"):
        keys.create("late", ["jobs"], ADMIN, good_until=datetime.now(UTC))


@pytest.mark.full
def test_rotation_under_load_refuses_no_caller(keys: Keys, reads: Keys) -> None:
    """Callers switch to the new text at any time during the grace time; neither text is ever refused."""
    key, first = keys.create("ci", ["infer"], ADMIN)
    environments = [authorizer(reads), authorizer(reads)]
    current, done = [first, first], threading.Event()
    answers: list[Counter[str]] = [Counter() for _ in range(4)]

    def call(index: int) -> None:
        while not done.is_set():
            context = asked(environments[index % 2], current[index % 2])
            answers[index][context.get("refusal", "good")] += 1

    def all_have_called(times: int) -> None:
        before = [one.total() for one in answers]
        end = time.monotonic() + 60
        while any(one.total() < least + times for one, least in zip(answers, before, strict=True)):
            assert time.monotonic() < end
            time.sleep(0.005)

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(call, index) for index in range(4)]
        for _ in range(5):
            all_have_called(5)
            _, text = keys.rotate(key.id, 60, ADMIN)
            current[0] = text  # half of the callers switch at once, the others later
            all_have_called(5)
            current[1] = text
        done.set()
        for one in callers:
            one.result()
    assert {answer for one in answers for answer in one} == {"good"}
    assert "refusal" in asked(environments[0], first)  # four rotations ago


def test_zero_grace_time(keys: Keys, reads: Keys) -> None:
    key, old = keys.create("ci", ["infer"], ADMIN)
    _, new = keys.rotate(key.id, 0, ADMIN)
    found = authorizer(reads)
    assert (set(asked(found, old)), asked(found, new)["actor"]) == ({"refusal"}, key.actor)


def test_used_at_is_written_once_an_hour(keys: Keys, reads: Keys, table: Table) -> None:
    key, text = keys.create("ci", ["jobs"], ADMIN)
    found, another = authorizer(reads, ttl_seconds=0), authorizer(reads, ttl_seconds=0)
    asked(found, text)
    first = keys.get(key.id).used_at
    assert first is not None
    for _ in range(3):
        asked(found, text), asked(another, text)
    assert keys.get(key.id) == replace(key, used_at=first)  # the same revision: a use is no change
    long_ago = canonical(datetime.now(UTC) - 2 * HOUR)
    table.write([Put(table_rows.api_key(key.id), replace(key, used_at=long_ago).fields, key.revision)])
    asked(another, text)
    assert (keys.get(key.id).used_at or "") > first
    _, bad = keys.rotate(key.id, 60, ADMIN)
    keys.used("f" * 16, first, first)  # no such key
    assert keys.find("f" * 16) is None and bad


@pytest.mark.parametrize("allowed", [3, 40])
def test_rate_limit_across_environments(keys: Keys, reads: Keys, clock: type[Clock], allowed: int) -> None:
    _, text = keys.create("ci", ["jobs"], ADMIN, requests_per_second=allowed)
    _, unlimited = keys.create("free", ["jobs"], ADMIN)
    environments = [authorizer(reads), authorizer(reads), authorizer(reads)]
    for found in environments:
        asked(found, unlimited)
    for second in range(2):
        clock.time += timedelta(seconds=1)
        refusals: Counter[bool] = Counter()
        for index in range(3 * allowed):
            context = asked(environments[index % 3], text)
            refusals["refusal" in context] += 1
            assert context | {"refusal": "quota", "allowed": allowed} == context or context["scopes"] == "jobs"
            assert "actor" in asked(environments[0], unlimited)
        assert refusals == {False: allowed, True: 2 * allowed}, second


def test_concurrent_request_counts(keys: Keys) -> None:
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: keys.count("k", 1, 5), range(12)))
    assert sorted(seen) == [5 * index for index in range(1, 13)]
    assert keys.count("k", 2, 1) == 1
