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
from maas.access.caller import Caller
from maas.access.keys_table import Keys
from maas.aws.dynamodb import Put, Table
from maas.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from maas.registry import Idempotency, table_rows
from maas.times import canonical

ADMIN = Caller("key:boss", frozenset(["admin"]))
HOUR = timedelta(hours=1)


@pytest.fixture
def keys(table: Table) -> Keys:
    return Keys(table)


@pytest.fixture
def reads(signed_table: Table) -> Keys:
    """As the authorizer calls DynamoDB."""
    return Keys(signed_table)


def authorizer(keys: Keys, header: str = "any", ttl_seconds: float = 60, rate: int = 0) -> Authorizer:
    return Authorizer(keys, header, ttl_seconds, rate)


def asked(found: Authorizer, text: str) -> dict[str, Any]:
    return found.context({"X-Api-Key": text})


def test_a_key_is_made_shown_listed_and_revoked(keys: Keys) -> None:
    key, text = keys.create("ci", ["models:write", "infer:digits", "models:write"], ADMIN)
    assert text.startswith(f"maas_{key.id}_")
    assert keys.get(key.id) == keys.find(key.id) == key
    assert (key.scopes, key.created_by, key.used_at) == (("models:write", "infer:digits"), "key:boss", None)
    assert keys.page(10) == ([key], None)
    revoked = keys.revoke(key.id, ADMIN)
    assert (revoked.revoked_by, revoked.revision) == ("key:boss", 2)
    assert keys.revoke(key.id, ADMIN) == revoked  # again changes nothing
    assert keys.page(10) == ([], None)
    assert keys.page(10, keep=lambda _: True) == ([revoked], None)
    with pytest.raises(Conflict, match="is revoked: make another"):
        keys.rotate(key.id, 60, ADMIN)
    with pytest.raises(NotFound, match="there is no API key 'nothing'"):
        keys.revoke("nothing", ADMIN)


def test_history_says_who_did_what(keys: Keys) -> None:
    key, _ = keys.create("ci", ["jobs"], ADMIN)
    keys.rotate(key.id, 0, Caller("ann", frozenset(["keys", "jobs"])))
    keys.revoke(key.id, ADMIN)
    found, _ = keys.history(key.id, 10)
    told = [(one.revision, one.actor, one.kind) for one in found]
    assert told == [(3, "key:boss", "key.revoked"), (2, "ann", "key.rotated"), (1, "key:boss", "key.created")]
    assert found[2].after == {"name": "ci", "scopes": ["jobs"], "expires_at": None}
    assert keys.history(key.id, 2)[0] == found[:2]


def test_the_table_has_no_text_of_a_key(keys: Keys, table: Table) -> None:
    key, text = keys.create("ci", ["jobs"], ADMIN)
    _, again = keys.rotate(key.id, 60, ADMIN)
    kept = [table.get(table_rows.api_key(key.id)), *table.query(table_rows.key_partition(key.id), "", limit=10)[0]]
    for one in (text, again):
        assert one.rpartition("_")[2] not in str(kept)


def test_pages_go_on_where_they_ended(keys: Keys) -> None:
    made = sorted(keys.create(f"k{index}", ["jobs"], ADMIN)[0].id for index in range(5))
    found: list[str] = []
    after = None
    while True:
        page, after = keys.page(2, after)
        found += [key.id for key in page]
        if after is None:
            break
    assert found == made


def test_nobody_gives_more_than_they_have(keys: Keys) -> None:
    some = Caller("key:some", frozenset(["keys", "infer:a", "models:write"]))
    keys.create("less", ["infer:a", "models:read", "keys"], some)
    for scope in ("admin", "infer", "infer:b", "jobs"):
        with pytest.raises(NotAllowed, match=f"it takes {scope}"):
            keys.create("more", ["keys", scope], some)
    boss, _ = keys.create("boss", ["admin"], ADMIN)
    with pytest.raises(NotAllowed):  # its new secret would be theirs
        keys.rotate(boss.id, 0, some)
    with pytest.raises(NotAllowed):
        keys.revoke(boss.id, some)
    assert keys.get(boss.id) == boss


@pytest.mark.parametrize("scopes", [[], ["infer:"], ["everything"], ["jobs", ""]])
def test_scopes_that_do_not_exist_are_refused(keys: Keys, scopes: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="scopes: got"):
        keys.create("ci", scopes, ADMIN)


def test_a_repeated_call_makes_no_second_key_and_says_which_was_made(keys: Keys) -> None:
    once = Idempotency("key:boss", "abc", "digest")
    key, _ = keys.create("ci", ["jobs"], ADMIN, once)
    with pytest.raises(Conflict, match=f"key {key.id} was made by the same call"):
        keys.create("ci", ["jobs"], ADMIN, once)
    assert keys.page(10)[0] == [key]


def test_rotations_at_once_leave_the_last_two_secrets_and_a_whole_history(keys: Keys) -> None:
    key, _ = keys.create("ci", ["jobs"], ADMIN)
    with ThreadPoolExecutor(4) as pool:
        texts = [text for _, text in pool.map(lambda _: keys.rotate(key.id, 3600, ADMIN), range(8))]
    assert len(set(texts)) == 8
    entries, _ = keys.history(key.id, 20)
    assert [one.revision for one in entries] == list(range(9, 0, -1))
    found = Counter("actor" in asked(authorizer(keys), text) for text in texts)
    assert found == {True: 2, False: 6}


def test_a_good_key_is_let_in_with_its_scopes(keys: Keys, reads: Keys) -> None:
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


def test_what_is_no_good_key_has_no_way_in(keys: Keys, reads: Keys) -> None:
    key, text = keys.create("ci", ["admin"], ADMIN)
    other, _ = keys.create("other", ["admin"], ADMIN)
    found = authorizer(reads)
    secret = text.rpartition("_")[2]
    for headers, refusal in (
        ({}, "no API key came with it"),
        ({"authorization": "Basic YTpi"}, "no API key came with it"),
        ({"authorization": text}, "no API key came with it"),
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


def test_where_the_gateway_remembers_by_one_header_no_other_counts(keys: Keys, reads: Keys) -> None:
    """Else whoever sends the same junk in that header would be let in with another's answer."""
    _, text = keys.create("ci", ["admin"], ADMIN)
    both = {"authorization": "Bearer junk", "x-api-key": text}
    assert "refusal" in authorizer(reads, "authorization").context(both)
    assert "actor" in authorizer(reads, "x-api-key").context(both)
    assert "refusal" in authorizer(reads, "x-api-key").context({"authorization": f"Bearer {text}"})


def test_an_expired_or_revoked_key_is_told_so_within_the_time_it_is_remembered(keys: Keys, reads: Keys) -> None:
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
    with pytest.raises(InvalidRequest, match="expected one to come"):
        keys.create("late", ["jobs"], ADMIN, good_until=datetime.now(UTC))


def test_old_and_new_secret_are_good_under_load_while_it_is_rotated(keys: Keys, reads: Keys) -> None:
    """Each caller takes the new text as soon as it is there; none is ever refused, nor is one that keeps the old."""
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
            current[0] = text  # half of the callers at once, the others later
            time.sleep(0.1)
            current[1] = text
        done.set()
        for one in callers:
            one.result()
    assert set(answers) == {"good"}
    assert answers["good"] > 100
    assert "refusal" in asked(environments[0], first)  # four rotations ago


def test_a_grace_time_of_nothing_ends_the_old_secret(keys: Keys, reads: Keys) -> None:
    key, old = keys.create("ci", ["infer"], ADMIN)
    _, new = keys.rotate(key.id, 0, ADMIN)
    found = authorizer(reads)
    assert (set(asked(found, old)), asked(found, new)["actor"]) == ({"refusal"}, key.actor)


def test_when_it_was_used_is_written_once_an_hour(keys: Keys, reads: Keys, table: Table) -> None:
    key, text = keys.create("ci", ["jobs"], ADMIN)
    found, another = authorizer(reads, ttl_seconds=0), authorizer(reads, ttl_seconds=0)
    asked(found, text)
    first = keys.get(key.id).used_at
    assert first is not None
    for _ in range(3):
        asked(found, text), asked(another, text)
    assert keys.get(key.id) == replace(key, used_at=first)  # of the same revision: it is no change
    long_ago = canonical(datetime.now(UTC) - 2 * HOUR)
    table.write([Put(table_rows.api_key(key.id), replace(key, used_at=long_ago).fields, key.revision)])
    asked(another, text)
    assert (keys.get(key.id).used_at or "") > first
    _, bad = keys.rotate(key.id, 60, ADMIN)
    keys.used("f" * 16, first, first)  # of no key
    assert keys.find("f" * 16) is None and bad


@pytest.mark.parametrize("allowed", [3, 40])
def test_a_second_has_so_many_requests_in_all_environments_together(keys: Keys, reads: Keys, allowed: int) -> None:
    _, text = keys.create("ci", ["jobs"], ADMIN, requests_per_second=allowed)
    _, unlimited = keys.create("free", ["jobs"], ADMIN)
    environments = [authorizer(reads), authorizer(reads), authorizer(reads)]
    for found in environments:
        asked(found, unlimited)
    time.sleep(1 - time.time() % 1)  # a second's beginning
    began = int(time.time())
    refusals: Counter[bool] = Counter()
    while int(time.time()) == began and sum(refusals.values()) < 30 * allowed:
        for found in environments:
            context = asked(found, text)
            refusals["refusal" in context] += 1
            assert context | {"refusal": "quota", "allowed": allowed} == context or context["scopes"] == "jobs"
        assert "actor" in asked(environments[0], unlimited)
    assert refusals[True] > 0
    assert refusals[False] <= 2 * allowed  # a second may have ended in between
    if int(time.time()) == began:
        assert refusals[False] == allowed


def test_counts_of_all_callers_add_up(keys: Keys) -> None:
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: keys.count("k", 1, 5), range(12)))
    assert sorted(seen) == [5 * index for index in range(1, 13)]
    assert keys.count("k", 2, 1) == 1
