"""API keys in the table, and the authorizer over it, on both engines."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maas.access.authorizer import Authorizer
from maas.access.caller import Caller, caller_of
from maas.access.keys_table import Keys
from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.errors import Conflict, InvalidRequest, NotAllowed, NotAuthenticated, NotFound, RightsExceeded
from maas.registry import Idempotency, table_rows
from maas.times import canonical

ADMIN = Caller("arn:boss", frozenset(["admin"]))
HOUR = timedelta(hours=1)


@pytest.fixture
def keys(table: Table) -> Keys:
    return Keys(table)


@pytest.fixture
def reads(signed_table: Table) -> Keys:
    """Keys read with signed requests, as in the authorizer."""
    return Keys(signed_table)


def authorizer(keys: Keys, header: str = "any", ttl_seconds: float = 60, rate: int = 0) -> Authorizer:
    return Authorizer(keys, header, ttl_seconds, rate)


def asked(found: Authorizer, text: str) -> dict[str, Any]:
    return found.context({"X-Api-Key": text})


def test_key_lifecycle(keys: Keys) -> None:
    key, text = keys.create("ci", ["models:write", "infer:digits", "models:write"], ADMIN)
    assert text.startswith(f"maas_{key.id}_")
    assert keys.get(key.id) == keys.find(key.id) == key
    assert (key.scopes, key.created_by, key.used_at) == (("models:write", "infer:digits"), "arn:boss", None)
    assert keys.page(10) == ([key], None)
    revoked = keys.revoke(key.id, ADMIN)
    assert (revoked.revoked_by, revoked.revision) == ("arn:boss", 2)
    assert keys.revoke(key.id, ADMIN) == revoked  # idempotent
    assert keys.page(10) == ([], None)
    assert keys.page(10, keep=lambda _: True) == ([revoked], None)
    with pytest.raises(Conflict, match="is revoked: create another"):
        keys.rotate(key.id, 60, ADMIN)
    with pytest.raises(NotFound, match="there is no API key 'nothing'"):
        keys.revoke("nothing", ADMIN)


def test_key_history(keys: Keys) -> None:
    key, _ = keys.create("ci", ["jobs"], ADMIN)
    keys.rotate(key.id, 0, Caller("ann", frozenset(["keys", "jobs"])))
    keys.revoke(key.id, ADMIN)
    found, _ = keys.history(key.id, 10)
    told = [(one.revision, one.actor, one.kind) for one in found]
    assert told == [(3, "arn:boss", "key.revoked"), (2, "ann", "key.rotated"), (1, "arn:boss", "key.created")]
    assert found[2].after == {"name": "ci", "scopes": ["jobs"], "expires_at": None}
    assert keys.history(key.id, 2)[0] == found[:2]


def test_key_text_is_not_stored(keys: Keys, table: Table) -> None:
    key, text = keys.create("ci", ["jobs"], ADMIN)
    _, again = keys.rotate(key.id, 60, ADMIN)
    kept = [table.get(table_rows.api_key(key.id)), *table.query(table_rows.key_partition(key.id), "", limit=10)[0]]
    for one in (text, again):
        assert one.rpartition("_")[2] not in str(kept)


def test_key_pagination(keys: Keys) -> None:
    made = sorted(keys.create(f"k{index}", ["jobs"], ADMIN)[0].id for index in range(5))
    found: list[str] = []
    after = None
    while True:
        page, after = keys.page(2, after)
        found += [key.id for key in page]
        if after is None:
            break
    assert found == made


def test_created_scopes_are_limited_to_the_creators(keys: Keys) -> None:
    some = Caller("arn:some", frozenset(["keys", "infer:a", "models:write"]))
    keys.create("less", ["infer:a", "models:read", "keys"], some)
    for scope in ("admin", "infer", "infer:b", "jobs"):
        with pytest.raises(NotAllowed, match=f"it needs {scope}"):
            keys.create("more", ["keys", scope], some)
    boss, _ = keys.create("boss", ["admin"], ADMIN)
    with pytest.raises(NotAllowed):  # they would get its new secret
        keys.rotate(boss.id, 0, some)
    with pytest.raises(NotAllowed):
        keys.revoke(boss.id, some)
    assert keys.get(boss.id) == boss


def called(text: str, found: Authorizer) -> Caller:
    """The caller that the functions see for a key."""
    return caller_of({"authorizer": {"lambda": asked(found, text)}})


def test_key_limits_are_limited_to_the_creators(keys: Keys, reads: Keys) -> None:
    soon, later = datetime.now(UTC) + HOUR, datetime.now(UTC) + 2 * HOUR
    _, text = keys.create("limited", ["keys", "infer:a"], ADMIN, good_until=soon, requests_per_second=5)
    by = called(text, authorizer(reads))
    inherited, _ = keys.create("same", ["infer:a"], by)
    assert (inherited.good_until, inherited.requests_per_second) == (canonical(soon), 5)
    less, _ = keys.create("less", ["infer:a"], by, good_until=soon - HOUR / 2, requests_per_second=4)
    assert (less.good_until, less.requests_per_second) == (canonical(soon - HOUR / 2), 4)
    with pytest.raises(RightsExceeded, match=r"expires_at: got .*, expected at most"):
        keys.create("longer", ["infer:a"], by, good_until=later)
    with pytest.raises(RightsExceeded, match="requests_per_second: got 6, expected at most 5"):
        keys.create("faster", ["infer:a"], by, requests_per_second=6)
    assert keys.rotate(inherited.id, 0, by)[0].id == inherited.id
    assert keys.rotate(by.key_id or "", 0, by)[0].good_until == canonical(soon)


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({}, "expires_at: got no end"),
        ({"good_until": datetime.now(UTC) + 9 * HOUR, "requests_per_second": 5}, "expires_at: got"),
        ({"good_until": datetime.now(UTC) + HOUR / 2}, "requests_per_second: got no limit"),
        ({"good_until": datetime.now(UTC) + HOUR / 2, "requests_per_second": 6}, "requests_per_second: got 6"),
    ],
)
def test_stronger_keys_are_not_rotated(keys: Keys, reads: Keys, limits: dict[str, Any], field: str) -> None:
    stronger, _ = keys.create("stronger", ["infer:a"], ADMIN, **limits)
    soon = datetime.now(UTC) + HOUR
    _, text = keys.create("limited", ["keys", "infer:a"], ADMIN, good_until=soon, requests_per_second=5)
    by = called(text, authorizer(reads))
    with pytest.raises(RightsExceeded, match=field):
        keys.rotate(stronger.id, 0, by)
    assert keys.revoke(stronger.id, by).revoked_at


def test_replaced_text_gains_no_time(keys: Keys, reads: Keys) -> None:
    """Otherwise a leaked text could outlive its grace time by rotating its own key or creating another."""
    key, old = keys.create("ci", ["keys", "infer:a"], ADMIN)
    _, new = keys.rotate(key.id, 60, ADMIN)
    by = called(old, authorizer(reads))
    with pytest.raises(RightsExceeded, match="expires_at: got no end"):
        keys.rotate(key.id, 60, by)
    made, _ = keys.create("other", ["infer:a"], by)
    assert made.good_until == keys.get(key.id).secrets[1].good_until
    assert keys.create("other", ["infer:a"], called(new, authorizer(reads)))[0].good_until is None


def test_default_rate_counts_as_a_limit(table: Table, reads: Keys) -> None:
    keys = Keys(table, 10)
    key, text = keys.create("default", ["keys", "infer:a"], ADMIN)
    by = called(text, authorizer(reads, rate=10))
    assert keys.create("same", ["infer:a"], by)[0].requests_per_second is None
    assert keys.rotate(key.id, 0, by)[0].requests_per_second is None
    with pytest.raises(RightsExceeded, match="requests_per_second: got 11, expected at most 10"):
        keys.create("faster", ["infer:a"], by, requests_per_second=11)
    _, slow = keys.create("slow", ["keys", "infer:a"], ADMIN, requests_per_second=3)
    assert keys.create("slow", ["infer:a"], called(slow, authorizer(reads, rate=10)))[0].requests_per_second == 3


def test_revoked_key_in_a_cache_creates_and_rotates_nothing(keys: Keys, reads: Keys) -> None:
    found = authorizer(reads, ttl_seconds=60)
    key, text = keys.create("ci", ["keys", "infer:a"], ADMIN)
    other, _ = keys.create("other", ["infer:a"], ADMIN)
    assert called(text, found) == called(text, found)  # the first use is written, then the key is cached
    keys.revoke(key.id, ADMIN)
    by = called(text, found)
    assert by.key_id == key.id
    with pytest.raises(NotAuthenticated, match="is revoked or has expired"):
        keys.create("lasting", ["infer:a"], by)
    with pytest.raises(NotAuthenticated):
        keys.rotate(other.id, 0, by)


@pytest.mark.parametrize("scopes", [[], ["infer:"], ["everything"], ["jobs", ""]])
def test_unknown_scopes_are_refused(keys: Keys, scopes: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="scopes: got"):
        keys.create("ci", scopes, ADMIN)


def test_repeated_creation_conflicts_and_names_the_key(keys: Keys) -> None:
    once = Idempotency("arn:boss", "abc", "digest")
    key, _ = keys.create("ci", ["jobs"], ADMIN, once)
    with pytest.raises(Conflict, match=f"the same call created key {key.id}"):
        keys.create("ci", ["jobs"], ADMIN, once)
    assert keys.page(10)[0] == [key]


def test_concurrent_rotations(keys: Keys) -> None:
    key, _ = keys.create("ci", ["jobs"], ADMIN)
    with ThreadPoolExecutor(4) as pool:
        texts = [text for _, text in pool.map(lambda _: keys.rotate(key.id, 3600, ADMIN), range(8))]
    assert len(set(texts)) == 8
    entries, _ = keys.history(key.id, 20)
    assert [one.revision for one in entries] == list(range(9, 0, -1))
    found = Counter("actor" in asked(authorizer(keys), text) for text in texts)
    assert found == {True: 2, False: 6}


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


def test_expired_and_revoked_keys_are_refused(keys: Keys, reads: Keys) -> None:
    found = authorizer(reads, ttl_seconds=0)
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    _, expiring = keys.create("expiring", ["jobs"], ADMIN, good_until=soon)
    assert "actor" in asked(found, expiring)
    revoked, text = keys.create("revoked", ["jobs"], ADMIN)
    assert "actor" in asked(found, text)
    keys.revoke(revoked.id, ADMIN)
    assert asked(found, text)["refusal"] == "this API key is revoked"
    time.sleep(0.5)
    assert asked(found, expiring)["refusal"] == "this API key has expired"
    with pytest.raises(InvalidRequest, match="expected one in the future"):
        keys.create("late", ["jobs"], ADMIN, good_until=datetime.now(UTC))


def test_rotation_under_load_refuses_no_caller(keys: Keys, reads: Keys) -> None:
    """Callers switch to the new text at any time during the grace time; neither text is ever refused."""
    key, first = keys.create("ci", ["infer"], ADMIN)
    environments = [authorizer(reads), authorizer(reads)]
    current, done = [first, first], threading.Event()
    answers: Counter[str] = Counter()

    def call(index: int) -> None:
        while not done.is_set():
            context = asked(environments[index % 2], current[index % 2])
            answers[context.get("refusal", "good")] += 1

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(call, index) for index in range(4)]
        for _ in range(5):
            time.sleep(0.1)
            _, text = keys.rotate(key.id, 60, ADMIN)
            current[0] = text  # half of the callers switch at once, the others later
            time.sleep(0.1)
            current[1] = text
        done.set()
        for one in callers:
            one.result()
    assert set(answers) == {"good"}
    assert answers["good"] > 100
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
def test_rate_limit_across_environments(keys: Keys, reads: Keys, allowed: int) -> None:
    _, text = keys.create("ci", ["jobs"], ADMIN, requests_per_second=allowed)
    _, unlimited = keys.create("free", ["jobs"], ADMIN)
    environments = [authorizer(reads), authorizer(reads), authorizer(reads)]
    for found in environments:
        asked(found, unlimited)
    time.sleep(1 - time.time() % 1)  # the beginning of a second
    began = int(time.time())
    refusals: Counter[bool] = Counter()
    while int(time.time()) == began and sum(refusals.values()) < 30 * allowed:
        for found in environments:
            context = asked(found, text)
            refusals["refusal" in context] += 1
            assert context | {"refusal": "quota", "allowed": allowed} == context or context["scopes"] == "jobs"
        assert "actor" in asked(environments[0], unlimited)
    assert refusals[True] > 0
    assert refusals[False] <= 2 * allowed  # requests may fall into two seconds
    if int(time.time()) == began:
        assert refusals[False] == allowed


def test_concurrent_request_counts(keys: Keys) -> None:
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: keys.count("k", 1, 5), range(12)))
    assert sorted(seen) == [5 * index for index in range(1, 13)]
    assert keys.count("k", 2, 1) == 1
