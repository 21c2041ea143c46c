"""Aliases that share their requests among versions, on moto and on DynamoDB Local."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.errors import Conflict, Gone, InvalidRequest, NotFound, NotReady, PreconditionFailed
from maas.records.aliases import Alias, Route, Routes, whole
from maas.registry import Registry
from maas.registry.state import table_rows
from support.registry_steps import FILE, kinds, ready

SPLIT = (Route(3, 10), Route(2, 60), Route(1, 30))


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "", {}, "ann")
    for _ in range(3):
        ready(registry)


def split(registry: Registry, *routes: Route, sticky: str | None = None) -> Alias:
    return registry.aliases.set("m", "prod", routes or SPLIT, "ann", sticky=sticky)


def last(registry: Registry) -> tuple[str, Any, Any]:
    entry = registry.history.page("m", 1)[0][0]
    return entry.kind, entry.before, entry.after


def rows(*routes: tuple[int, int]) -> list[dict[str, int]]:
    return [{"version": version, "weight": weight} for version, weight in routes]


def test_routes_are_ordered_and_have_a_main_version(registry: Registry) -> None:
    made = split(registry, Route(1, 30), Route(3, 10), Route(2, 60))
    assert (made.routes, made.version, made.previous_shares) == (SPLIT, 2, ())
    assert registry.aliases.get("m", "prod") == made
    assert split(registry, Route(3, 50), Route(1, 50)).version == 1  # of equals the older
    assert registry.aliases.set("m", "prod", 3, "ann").routes == ()
    assert registry.aliases.get("m", "prod").shares == whole(3)


@pytest.mark.parametrize(
    ("routes", "field", "message"),
    [
        ([], "routes", "got 0, expected 2 to 10; for a single version give version"),
        ([Route(1, 100)], "routes", "got 1, expected 2 to 10"),
        ([Route(number, 9) for number in range(1, 12)], "routes", "got 11, expected 2 to 10"),
        ([Route(1, 60), Route(2, 39)], "routes", "got weights that sum to 99, expected 100"),
        ([Route(1, 60), Route(2, 41)], "routes", "got weights that sum to 101, expected 100"),
        ([Route(1, 100), Route(2, 0)], "routes[1].weight", "got 0, expected at least 1"),
        ([Route(1, 101), Route(2, -1)], "routes[1].weight", "got -1, expected at least 1"),
        ([Route(1, 50), Route(1, 50)], "routes[1].version", "got 1 again, expected each version once"),
    ],
)
def test_refused_routes(registry: Registry, routes: Sequence[Route], field: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"{message}") as refused:
        registry.aliases.set("m", "prod", routes, "ann")
    assert refused.value.field == field
    assert registry.models.get("m").aliases == {}


@pytest.mark.parametrize("sticky", ["", "Caller", "header", "header:", "header:a b", "header:ü", "header:" + "x" * 101])
def test_refused_sticky(registry: Registry, sticky: str) -> None:
    with pytest.raises(InvalidRequest, match="expected none, caller or header:NAME") as refused:
        split(registry, sticky=sticky)
    assert refused.value.field == "sticky"


@pytest.mark.full
def test_every_route_needs_a_ready_version(registry: Registry) -> None:
    registry.versions.create("m", [FILE], "", {}, "ann")
    with pytest.raises(NotReady, match="version 4 of model 'm' is PENDING_UPLOAD"):
        split(registry, Route(4, 5), Route(1, 95))
    with pytest.raises(NotFound, match="there is no version '5' of model 'm'"):
        split(registry, Route(1, 95), Route(5, 5))
    registry.versions.delete("m", 3, "ann")
    with pytest.raises(Gone):
        split(registry)
    assert registry.models.get("m").aliases == {}


@pytest.mark.full
def test_target_is_needed_for_a_new_alias(registry: Registry) -> None:
    with pytest.raises(NotFound, match="there is no alias 'prod' of model 'm'"):
        registry.aliases.set("m", "prod", None, "ann", sticky="caller")


def test_rollback_returns_to_a_split(registry: Registry) -> None:
    registry.aliases.set("m", "prod", 1, "ann")
    split(registry)
    registry.aliases.set("m", "prod", 3, "ann")
    shares = [registry.aliases.rollback("m", "prod", "bob").shares for _ in range(3)]
    assert shares == [SPLIT, whole(3), SPLIT]
    registry.versions.delete("m", 3, "ann", force=True)
    assert registry.aliases.get("m", "prod").shares == (Route(2, 67), Route(1, 33))
    with pytest.raises(Gone, match="version 3 of model 'm'"):  # a split comes back whole or not at all
        registry.aliases.rollback("m", "prod", "bob")
    registry.versions.restore("m", 3, "ann")
    assert registry.aliases.rollback("m", "prod", "bob").shares == SPLIT


@pytest.mark.full
def test_sticky_stays_and_does_not_change_the_rollback(registry: Registry) -> None:
    registry.aliases.set("m", "prod", 1, "ann")
    registry.aliases.set("m", "prod", 2, "ann")
    stuck = registry.aliases.set("m", "prod", None, "ann", sticky="header:X-User")
    assert (stuck.version, stuck.previous_version, stuck.sticky) == (2, 1, "header:X-User")
    assert last(registry) == ("alias.set", {"version": 2}, {"version": 2, "sticky": "header:X-User"})
    assert split(registry).sticky == "header:X-User"
    back = registry.aliases.rollback("m", "prod", "ann")
    assert (back.shares, back.sticky) == (whole(2), "header:X-User")
    assert registry.aliases.set("m", "prod", 2, "ann", sticky="none").sticky == "none"


@pytest.mark.full
def test_salt_lives_as_long_as_the_alias(registry: Registry) -> None:
    registry.aliases.set("m", "prod", 1, "ann")
    salt = split(registry).salt
    assert len(salt) == 32
    targets: list[int | tuple[Route, ...]] = [2, (Route(3, 25), Route(1, 75)), 1]
    for target in targets:
        assert registry.aliases.set("m", "prod", target, "ann").salt == salt
    assert registry.aliases.rollback("m", "prod", "ann").salt == salt
    assert registry.aliases.set("m", "canary", SPLIT, "ann").salt != salt
    registry.aliases.delete("m", "prod", "ann")
    assert split(registry).salt not in ("", salt)


@pytest.mark.full
def test_history_of_routes(registry: Registry) -> None:
    registry.aliases.set("m", "prod", 1, "ann")
    split(registry, sticky="caller")
    shown = {"version": 2, "routes": rows((3, 10), (2, 60), (1, 30)), "sticky": "caller"}
    assert last(registry) == ("alias.set", {"version": 1}, shown)
    before = registry.models.get("m")
    split(registry, *reversed(SPLIT), sticky="caller")  # no change, no entry
    assert registry.models.get("m") == before
    registry.aliases.rollback("m", "prod", "ann")
    assert last(registry) == ("alias.rolled_back", shown, {"version": 1, "sticky": "caller"})
    registry.aliases.rollback("m", "prod", "ann")
    registry.aliases.delete("m", "prod", "ann")
    assert last(registry) == ("alias.deleted", shown, None)


def test_deletion_names_every_alias_with_a_route(registry: Registry) -> None:
    split(registry)
    registry.aliases.set("m", "canary", 3, "ann")
    names = [registry.models.get("m").aliases_on(number) for number in (1, 2, 3)]
    assert names == [["prod"], ["prod"], ["canary", "prod"]]
    with pytest.raises(Conflict, match="version 3 of model 'm' has aliases: canary, prod"):
        registry.versions.delete("m", 3, "bob")
    with pytest.raises(Conflict, match="version 1 of model 'm' has aliases: prod"):
        registry.versions.delete("m", 1, "bob")


def test_forced_deletion_leaves_the_other_routes(registry: Registry) -> None:
    split(registry, Route(3, 10), Route(2, 60), Route(1, 30))
    registry.aliases.set("m", "canary", 3, "ann")
    etag = registry.aliases.get("m", "prod").etag
    _, removed, changed = registry.versions.delete("m", 3, "bob", force=True)
    assert (removed, changed) == (["canary"], ["prod"])
    assert last(registry) == (
        "version.deleted",
        {"aliases": ["canary"], "routes": {"prod": rows((3, 10), (2, 60), (1, 30))}},
        {"routes": {"prod": rows((2, 67), (1, 33))}},
    )
    alias = registry.aliases.get("m", "prod")
    assert (alias.shares, alias.previous_shares) == ((Route(2, 67), Route(1, 33)), SPLIT)
    assert alias.etag != etag
    with pytest.raises(PreconditionFailed):
        registry.aliases.set("m", "prod", 1, "ann", etag)
    assert registry.versions.delete("m", 2, "bob", force=True)[1:] == ([], ["prod"])
    assert registry.aliases.get("m", "prod").shares == whole(1)
    assert registry.versions.delete("m", 1, "bob", force=True)[1:] == (["prod"], [])
    assert registry.models.get("m").aliases == {}
    assert registry.versions.delete("m", 1, "bob", force=True)[1:] == ([], [])


def test_routes_at_a_time(registry: Registry) -> None:
    expected: list[Routes] = []
    moments: list[datetime] = []
    steps: list[Callable[[], object]] = [
        lambda: registry.aliases.set("m", "prod", 1, "ann"),
        lambda: split(registry),
        lambda: split(registry, Route(3, 50), Route(2, 50)),
        lambda: registry.aliases.set("m", "prod", None, "ann", sticky="caller"),
        lambda: registry.aliases.rollback("m", "prod", "ann"),
        lambda: registry.models.delete("m", "ann"),
        lambda: registry.models.restore("m", "ann"),
        lambda: registry.versions.delete("m", 3, "ann", force=True),
    ]
    for step in steps:
        step()
        owner = registry.models.get("m", deleted=True)
        moments.append(datetime.fromisoformat(owner.updated_at))
        expected.append(() if owner.deleted_at else owner.aliases["prod"].shares)
    half = (Route(3, 50), Route(2, 50))
    assert expected == [whole(1), SPLIT, half, half, SPLIT, (), SPLIT, (Route(2, 67), Route(1, 33))]
    assert [registry.aliases.routes_at("m", "prod", moment) for moment in moments] == expected
    timeline = registry._ledger.table.query("M#m", "T#", limit=100)[0]
    assert len(timeline) == len(steps)  # with the one of the model, and none for the change of `sticky`


@pytest.mark.full
def test_restored_model_has_its_routes(registry: Registry) -> None:
    alias = split(registry, sticky="caller")
    registry.models.delete("m", "ann")
    with pytest.raises(Gone):
        registry.resolution("m", "prod")
    registry.models.restore("m", "ann")
    assert registry.aliases.get("m", "prod") == alias


def test_resolution(registry: Registry) -> None:
    alias = split(registry)
    registry.aliases.set("m", "default", 1, "ann")
    found = registry.resolution("m", "prod")
    assert (found.name, found.alias, found.routes) == ("prod", alias, SPLIT)
    assert [version.number for version in found.versions] == [3, 2, 1]
    assert registry.resolve("m", "prod").number == 2
    by = [(reference, registry.resolution("m", reference)) for reference in (None, "3")]
    assert [(reference, one.name, one.routes) for reference, one in by] == [
        (None, "default", whole(1)),
        ("3", None, whole(3)),
    ]
    registry.aliases.delete("m", "default", "ann")
    assert registry.resolution("m", None).name is None
    assert registry.resolution("m", None).routes == whole(3)


@pytest.mark.full
def test_rows_without_the_new_fields(registry: Registry, table: Table) -> None:
    """Rows as they were before aliases had routes; those of an alias with one version still have this form."""
    registry.aliases.set("m", "prod", 1, "ann")
    moved = registry.aliases.set("m", "prod", 2, "ann")
    key = table_rows.model_key("m")
    row = table.get(key)
    assert row
    old = {"version": 2, "updated_at": moved.updated_at, "revision": moved.revision, "previous_version": 1}
    assert row["aliases"] == {"prod": old}
    never_moved = {"version": 3, "updated_at": moved.updated_at, "revision": 4, "previous_version": None}
    aliases = {"prod": old, "canary": never_moved}
    table.write([Put(key, row | {"aliases": aliases, "revision": row["revision"] + 1}, row["revision"])])
    found = registry.models.get("m").aliases
    assert found["prod"] == replace(moved, previous_version=1)
    assert found["canary"].previous_shares == ()
    assert registry.aliases.routes_at("m", "prod", datetime.now(UTC)) == whole(2)
    assert split(registry).previous_shares == whole(2)
    assert registry.aliases.rollback("m", "prod", "ann").version == 2
    assert kinds(registry)[-2:] == ["alias.set", "alias.rolled_back"]
