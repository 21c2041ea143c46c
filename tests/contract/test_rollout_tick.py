"""The tick that moves rollouts on or back: what it decides, tells and leaves alone; on moto and on DynamoDB Local."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.aws.writes import Put
from maas.records.aliases import Route, whole
from maas.registry import Registry
from maas.registry.rollout_tick import RolloutTick
from maas.registry.state.table_rows import ROLLOUTS, open_rollout_key, rollout_key
from maas.rollout.guard import Tally
from maas.rollout.rollout_records import RolloutStatus
from maas.times import canonical
from support.aws.metering import Meter
from support.registry_steps import NEVER, kinds
from support.rollout_world import PLAN, World, age, made_world, shares, start


@pytest.fixture
def world(registry: Registry) -> World:
    return made_world(registry)


def test_a_good_canary_reaches_all(world: World, table: Table) -> None:
    rollout = start(world)
    assert rollout.status is RolloutStatus.RUNNING and rollout.stable == 1
    assert shares(world) == (Route(2, 10), Route(1, 90))
    assert world.registry.aliases.get("m", "prod").rollout == rollout.id
    for weight in (50, 100):
        age(world, table, rollout)
        world.serve(Tally(60, 0), Tally(540, 1))
        assert world.run()[0].startswith(f"m {rollout.id}: promote: no guard is breached after 60 requests")
        assert shares(world)[0] == Route(2, weight)
    found = world.registry.rollouts.get("m", rollout.id)
    alias = world.registry.aliases.get("m", "prod")
    assert found.status is RolloutStatus.SUCCEEDED
    assert (alias.version, alias.routes, alias.rollout, alias.previous_shares) == (2, (), None, whole(1))
    assert kinds(world.registry)[-3:] == ["rollout.started", "rollout.promoted", "rollout.succeeded"]
    assert world.told() == ["rollout.started", "rollout.promoted", "rollout.succeeded"]
    assert not table.keys(ROLLOUTS, "", limit=10)
    world.registry.aliases.rollback("m", "prod", "ann")
    assert shares(world) == whole(1)


def test_a_failing_canary_is_taken_back(world: World) -> None:
    rollout = start(world, replace(PLAN, notify="https://example.com/hook"))
    world.serve(Tally(60, 30), Tally(540, 0))
    assert world.run()[0].startswith(f"m {rollout.id}: breach: errors: 30 of 60 requests (50.00%) of the canary failed")
    found = world.registry.rollouts.get("m", rollout.id)
    alias = world.registry.aliases.get("m", "prod")
    assert found.status is RolloutStatus.ROLLED_BACK and found.breached
    assert (alias.shares, alias.previous_shares, alias.rollout) == (whole(1), whole(3), None)
    entry = world.registry.history.page("m", 1)[0][0]
    assert (entry.kind, entry.actor, entry.alias) == ("rollout.rolled_back", "maintenance", "prod")
    assert entry.after and entry.after["figures"]["canary"] == {
        "requests": 60, "errors": 30, "refused": 0, "slow": 0, "compared": 0, "mismatched": 0,
    }  # fmt: skip
    assert entry.after["reason"] == found.decision["reason"] if found.decision else False
    kind, detail, notify = world.events[-1]
    assert (kind, notify) == ("MaaS Rollout State Change", "https://example.com/hook")
    assert (detail["event"], detail["version"], detail["stable"]) == ("rollout.rolled_back", 2, 1)
    assert world.run() == []


@pytest.mark.full
def test_on_breach_pause(world: World) -> None:
    rollout = start(world, replace(PLAN, on_breach="pause"))
    world.serve(Tally(60, 30), Tally(540, 0))
    world.run()
    found = world.registry.rollouts.get("m", rollout.id)
    assert (found.status, found.breached) == (RolloutStatus.PAUSED, True)
    assert shares(world) == (Route(2, 10), Route(1, 90))
    assert world.run() == []
    resumed = world.registry.rollouts.resume("m", rollout.id, "ann", world.tallies)
    assert not resumed.breached and resumed.standing.tests == {}
    world.run()
    found = world.registry.rollouts.get("m", rollout.id)
    assert found.status is RolloutStatus.RUNNING  # what made the breach counts no more
    assert found.decision and found.decision["figures"]["canary"]["errors"] == 0
    world.serve(Tally(60, 30), Tally(540, 0))
    world.run()
    assert world.registry.rollouts.get("m", rollout.id).breached


@pytest.mark.full
def test_too_few_requests_hold(world: World, table: Table) -> None:
    rollout = age(world, table, start(world), 60)
    world.serve(Tally(49, 0), Tally(500, 0))
    reason = f"m {rollout.id}: hold: the canary had 49 requests in this step, min_requests is 50"
    assert world.run()[0] == reason
    assert world.run() == [reason]
    assert shares(world) == (Route(2, 10), Route(1, 90))
    found = world.registry.rollouts.get("m", rollout.id)
    assert found.decision and found.decision["verdict"] == "hold"
    assert kinds(world.registry)[-1] == "rollout.started"  # looks that move nothing are no history


@pytest.mark.full
def test_doubled_and_concurrent_ticks_change_nothing(world: World, table: Table) -> None:
    rollout = age(world, table, start(world))
    world.serve(Tally(60, 0), Tally(540, 0))
    stale = world.registry.rollouts.get("m", rollout.id)
    assert (world.tick.look(stale) or "").startswith("promote")
    assert world.tick.look(stale) is None  # it read the row before the other one wrote it
    assert shares(world) == (Route(2, 50), Route(1, 50))
    assert world.run()[0].endswith("hold: the step's time is not over")
    stale = world.registry.rollouts.get("m", rollout.id)
    world.serve(Tally(600, 300), Tally(600, 0))
    assert (world.tick.look(stale) or "").startswith("breach")
    assert world.tick.look(stale) is None
    assert kinds(world.registry)[-3:] == ["rollout.started", "rollout.promoted", "rollout.rolled_back"]


@pytest.mark.full
def test_a_look_that_a_caller_overtakes_is_void(world: World) -> None:
    rollout = start(world)
    stale = world.registry.rollouts.get("m", rollout.id)
    world.registry.rollouts.pause("m", rollout.id, "ann")
    world.serve(Tally(60, 60), Tally(540, 0))
    assert world.tick.look(stale) is None
    assert world.registry.rollouts.get("m", rollout.id).status is RolloutStatus.PAUSED


@pytest.mark.full
def test_a_tick_that_dies_before_telling(world: World) -> None:
    start(world)
    world.serve(Tally(60, 30), Tally(540, 0))
    world.fail_to_tell = True
    with pytest.raises(ExceptionGroup, match="not all"):
        world.run()
    assert shares(world) == whole(1) and world.events == []
    world.fail_to_tell = False
    world.run()
    assert world.told() == ["rollout.started", "rollout.rolled_back"]


@pytest.mark.full
def test_what_happens_while_events_are_told_is_kept(world: World) -> None:
    """A webhook may take longer than it is to the next tick."""
    rollouts = world.registry.rollouts
    rollout = start(world)
    rollouts.pause("m", rollout.id, "ann")
    world.meanwhile = lambda: (rollouts.resume("m", rollout.id, "ann", world.tallies), world.run())
    world.run()
    assert rollouts.get("m", rollout.id).pending == ()
    again = ["rollout.started", "rollout.paused", "rollout.resumed"]  # those that the other tick told, too
    assert world.told() == ["rollout.started", *again, "rollout.paused"]
    assert world.run()[0].endswith("hold: the step's time is not over") and len(world.events) == 5


@pytest.mark.full
def test_one_that_cannot_be_read_does_not_stop_the_others(world: World, table: Table) -> None:
    table.write([Put(rollout_key("a", 1), {"plan": "of a later release"}, None)])
    table.write([Put(open_rollout_key("a", 1), {"model": "a", "id": 1}, None)])
    start(world)
    world.serve(Tally(60, 30), Tally(540, 0))
    with pytest.raises(ExceptionGroup, match="not all"):
        world.run()
    assert shares(world) == whole(1)
    assert world.told() == ["rollout.started", "rollout.rolled_back"]


def test_old_minutes_are_settled(world: World, table: Table) -> None:
    rollout = start(world)
    found = world.registry.rollouts.get("m", rollout.id)
    long_ago = canonical(datetime.fromisoformat(found.counted_from) - timedelta(minutes=30))
    older = replace(found, counted_from=long_ago, revision=found.revision + 1)
    table.put(Put(rollout_key("m", rollout.id), older.row(), found.revision))
    world.run()
    (since, until), (again, _) = world.reads[-2:]
    assert canonical(since) == long_ago and until == again
    assert datetime.now(UTC) - until < timedelta(minutes=7)
    world.reads.clear()
    world.run()
    assert len(world.reads) <= 2 and world.reads[-1][0] >= until


@pytest.mark.full
def test_what_came_before_does_not_count(world: World) -> None:
    """The version failed on this alias in the same minute."""
    world.serve(Tally(60, 60), Tally(540, 0))
    rollout = start(world)
    assert world.run()[0].endswith("hold: the step's time is not over")
    found = world.registry.rollouts.get("m", rollout.id)
    assert found.decision and found.decision["figures"]["canary"]["requests"] == 0


def test_nothing_open_is_one_query(world: World, endpoint_url: str, table_name: str) -> None:
    meter = Meter(boto3_call(client("dynamodb", "us-east-1", endpoint_url)))
    rollouts = Registry(Table(meter, table_name)).rollouts
    with meter.measured() as cost:
        assert list(RolloutTick(rollouts, world.tallies, world.tell, "x").run(NEVER)) == []
    assert cost.operations == ["Query"]
