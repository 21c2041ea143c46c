"""Rollouts: what callers may do with them, and what their open one forbids; on moto and on DynamoDB Local."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from maas.aws.dynamodb import Table
from maas.errors import Conflict, InvalidRequest, NotFound, NotReady
from maas.records.aliases import Route, whole
from maas.records.samples import Shadow
from maas.registry import Idempotency, Registry
from maas.registry.state.table_rows import ROLLOUTS, rollout_key
from maas.rollout.guard import Guards, Tally
from maas.rollout.rollout_records import Plan, RolloutStatus
from support.registry_steps import FILE, NEVER, Objects, kinds
from support.rollout_world import PLAN, World, age, made_world, shares, start


@pytest.fixture
def world(registry: Registry) -> World:
    return made_world(registry)


@pytest.mark.full
def test_a_paused_one_stays(world: World, table: Table) -> None:
    rollout = start(world)
    world.run()
    paused = world.registry.rollouts.pause("m", rollout.id, "ann", "lunch")
    assert world.registry.rollouts.pause("m", rollout.id, "ann") == paused
    age(world, table, rollout, 600)
    world.serve(Tally(600, 600), Tally(600, 0))
    assert world.run() == [f"m {rollout.id}: told 1 events"] and world.run() == []
    assert shares(world) == (Route(2, 10), Route(1, 90))
    resumed = world.registry.rollouts.resume("m", rollout.id, "ann", world.tallies)
    assert resumed.step_started_at == resumed.updated_at
    assert world.registry.rollouts.resume("m", rollout.id, "ann", world.tallies) == resumed
    world.run()
    assert world.registry.rollouts.get("m", rollout.id).status is RolloutStatus.ROLLED_BACK


def test_abort_and_what_has_ended(world: World) -> None:
    rollout = start(world)
    aborted = world.registry.rollouts.abort("m", rollout.id, "ann", "enough")
    assert aborted.status is RolloutStatus.ABORTED and shares(world) == whole(1)
    assert world.registry.rollouts.abort("m", rollout.id, "ann") == aborted
    rollouts = world.registry.rollouts
    for refused in (
        rollouts.pause,
        lambda *a: rollouts.resume(*a, world.tallies),
        lambda *a: rollouts.breach(*a, "late"),
    ):
        with pytest.raises(Conflict, match="has ended: it is ABORTED"):
            refused("m", rollout.id, "ann")
    assert kinds(world.registry)[-1] == "rollout.aborted"
    world.run()
    assert start(world).status is RolloutStatus.RUNNING  # the next one may begin


def test_a_breach_from_outside(world: World) -> None:
    rollout = start(world)
    world.serve(Tally(3, 0), Tally(27, 0))
    world.run()
    found = world.registry.rollouts.breach("m", rollout.id, "key:alarm", "CPU of the database")
    assert (found.status, shares(world)) == (RolloutStatus.ROLLED_BACK, whole(1))
    assert found.decision and found.decision["figures"]["canary"]["requests"] == 3
    assert (found.decision["verdict"], found.decision["reason"]) == ("breach", "CPU of the database")
    assert world.registry.rollouts.breach("m", rollout.id, "key:alarm", "again") == found
    entry = world.registry.history.page("m", 1)[0][0]
    assert entry.actor == "key:alarm" and entry.after and entry.after["reason"] == "CPU of the database"
    assert entry.after["figures"] == found.decision["figures"]


@pytest.mark.full
def test_only_the_rollout_moves_its_alias(world: World) -> None:
    rollout = start(world)
    registry, told = world.registry, f"maas rollout abort m {rollout.id}"
    for refused in (
        lambda: registry.aliases.set("m", "prod", 3, "ann"),
        lambda: registry.aliases.set("m", "prod", None, "ann", sticky="caller"),
        lambda: registry.aliases.delete("m", "prod", "ann"),
        lambda: registry.versions.delete("m", 1, "ann", force=True),
        lambda: registry.versions.delete("m", 2, "ann", force=True),
        lambda: registry.models.delete("m", "ann"),
        lambda: start(world),
    ):
        with pytest.raises(Conflict, match=told):
            refused()
    registry.versions.delete("m", 3, "ann")
    registry.aliases.set("m", "other", 2, "ann")


def test_rollback_of_the_alias_aborts(world: World) -> None:
    rollout = start(world)
    alias = world.registry.aliases.rollback("m", "prod", "ann")
    assert (alias.shares, alias.previous_shares, alias.rollout) == (whole(1), whole(3), None)
    found = world.registry.rollouts.get("m", rollout.id)
    assert found.status is RolloutStatus.ABORTED
    world.run()
    assert world.told() == ["rollout.started", "rollout.aborted"]


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (replace(PLAN, steps=(100,)), "steps"),
        (replace(PLAN, steps=(50, 25, 100)), "steps"),
        (replace(PLAN, steps=(5, 50)), "steps"),
        (replace(PLAN, steps=(0, 100)), "steps"),
        (replace(PLAN, steps=(*range(1, 11), 100)), "steps"),
        (replace(PLAN, minutes_per_step=0), "minutes_per_step"),
        (replace(PLAN, minutes_per_step=float("nan")), "minutes_per_step"),
        (replace(PLAN, minutes_per_step=1e9), "minutes_per_step"),
        (replace(PLAN, guards=Guards(error_rate=0)), "guards.error_rate"),
        (replace(PLAN, guards=Guards(error_rate=1)), "guards.error_rate"),
        (replace(PLAN, guards=Guards(p95_ms=0)), "guards.p95_ms"),
        (replace(PLAN, guards=Guards(min_requests=0)), "guards.min_requests"),
        (replace(PLAN, on_breach="cry"), "on_breach"),
    ],
)
def test_bad_plans(world: World, plan: Plan, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        start(world, plan)
    assert refused.value.field == field
    assert kinds(world.registry)[-1] == "alias.set"


@pytest.mark.full
def test_what_cannot_be_rolled_out(world: World) -> None:
    registry = world.registry
    registry.versions.create("m", [FILE], "", {}, "ann")
    registry.aliases.set("m", "split", [Route(1, 50), Route(2, 50)], "ann")
    with pytest.raises(NotFound, match="no alias 'none'"):
        start(world, replace(PLAN, alias="none"))
    with pytest.raises(NotFound, match="no version '9'"):
        start(world, replace(PLAN, version=9))
    with pytest.raises(NotReady):
        start(world, replace(PLAN, version=4))
    with pytest.raises(Conflict, match="leads to version 1 already"):
        start(world, replace(PLAN, version=1))
    with pytest.raises(Conflict, match="shares its requests"):
        start(world, replace(PLAN, alias="split", version=3))
    with pytest.raises(NotFound, match="no rollout '77'"):
        registry.rollouts.get("m", 77)


@pytest.mark.full
def test_a_limit_of_differences_needs_the_shadow(world: World) -> None:
    plan = replace(PLAN, guards=Guards(shadow_mismatch=0.01, min_requests=50))
    with pytest.raises(InvalidRequest, match="expected it only with version 2 as the alias's shadow"):
        start(world, plan)
    world.registry.aliases.set("m", "prod", None, "ann", samples={"shadow": Shadow(2, 100)})
    start(world, plan)
    world.serve(Tally(60, compared=100, mismatched=20), Tally(540))
    assert "breach: shadow_mismatch: 20 of 100 requests (20.00%) differ" in world.run()[0]


def test_start_happens_once_for_a_key(world: World) -> None:
    once = Idempotency("ann", "key", "digest")
    first = world.registry.rollouts.start("m", PLAN, "ann", world.tallies, once)
    assert world.registry.rollouts.start("m", PLAN, "ann", world.tallies, once).id == first.id
    assert kinds(world.registry).count("rollout.started") == 1


@pytest.mark.full
def test_start_happens_once_for_a_key_that_comes_twice_at_once(world: World) -> None:
    once = Idempotency("ann", "key", "digest")
    with ThreadPoolExecutor(8) as threads:
        begun = [threads.submit(world.registry.rollouts.start, "m", PLAN, "ann", world.tallies, once) for _ in range(8)]
    assert len({one.result().id for one in begun}) == 1
    assert kinds(world.registry).count("rollout.started") == 1


@pytest.mark.full
def test_pages(world: World) -> None:
    rollouts = world.registry.rollouts
    first = start(world)
    rollouts.abort("m", first.id, "ann")
    second = start(world)
    assert [one.id for one in rollouts.page("m", 10)[0]] == [second.id, first.id]
    page, after = rollouts.page("m", 1)
    assert page[0].id == second.id and [one.id for one in rollouts.page("m", 1, after)[0]] == [first.id]
    assert [one.id for one in rollouts.page("m", 10, is_open=True)[0]] == [second.id]
    assert rollouts.page("m", 10, alias="other")[0] == []


@pytest.mark.full
def test_a_purge_takes_them_too(world: World, table: Table) -> None:
    rollout = start(world)
    world.registry.rollouts.abort("m", rollout.id, "ann")
    world.registry.models.delete("m", "ann")
    assert world.registry.purge(Objects()).model("m", "ann", NEVER)
    assert table.get(rollout_key("m", rollout.id)) is None
    assert world.run() == []
    assert not table.keys(ROLLOUTS, "", limit=10)
