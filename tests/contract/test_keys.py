"""API keys in the table, on both engines: who may create, rotate and revoke what."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maas.access.authorizer import Authorizer
from maas.access.caller import Caller, caller_of
from maas.access.keys_table import Keys
from maas.aws.dynamodb import Table
from maas.errors import Conflict, InvalidRequest, NotAllowed, NotAuthenticated, NotFound, RightsExceeded
from maas.registry import Idempotency
from maas.registry.state import table_rows
from maas.times import canonical
from support.key_checks import ADMIN, asked, authorizer

HOUR = timedelta(hours=1)


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
