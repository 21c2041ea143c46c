"""Rollouts: every rule of their rows and of the tick that moves them; on moto and on DynamoDB Local."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.aws.writes import Put
from maas.errors import Conflict, InvalidRequest, MaasError, NotFound, NotReady
from maas.records.aliases import Route, whole
from maas.records.samples import Shadow
from maas.registry import Idempotency, Registry
from maas.registry.rollout_tick import RolloutTick
from maas.registry.table_rows import ROLLOUTS, open_rollout_key, rollout_key
from maas.rollout.guard import Guards, Tally
from maas.rollout.rollout_records import Plan, Rollout, RolloutStatus
from maas.times import canonical
from support.aws.metering import Meter
from support.registry_steps import FILE, NEVER, Objects, kinds, ready

PLAN = Plan("prod", 2, (10, 50, 100), 1, Guards(min_requests=50))


class World:
    """What the counters would say, and what the tick tells."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.counted: dict[int, Tally] = {}
        self.events: list[tuple[str, Mapping[str, Any], str | None]] = []
        self.reads: list[tuple[datetime, datetime]] = []
        self.fail_to_tell = False
        self.meanwhile: Callable[[], object] | None = None
        self.tick = RolloutTick(registry.rollouts, self.tallies, self.tell, "maintenance")

    def tallies(
        self, model: str, alias: str, since: datetime, until: datetime, p95_ms: float | None
    ) -> Mapping[int, Tally]:
        assert (model, alias) == ("m", "prod")
        self.reads.append((since, until))
        return self.counted if until > datetime.now(UTC) else {}

    def tell(self, kind: str, detail: Mapping[str, Any], notify: str | None) -> None:
        if self.fail_to_tell:
            raise MaasError("the bus does not answer")
        self.events.append((kind, detail, notify))
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()

    def serve(self, canary: Tally, stable: Tally) -> None:
        self.counted = {
            2: self.counted.get(2, Tally()) + canary,
            1: self.counted.get(1, Tally()) + stable,
        }

    def run(self) -> list[str]:
        return list(self.tick.run(NEVER))

    def told(self) -> list[str]:
        return [detail["event"] for _, detail, _ in self.events]


@pytest.fixture
def world(registry: Registry) -> World:
    registry.models.create("m", "", {}, "ann")
    ready(registry), ready(registry), ready(registry)
    registry.aliases.set("m", "prod", 3, "ann")
    registry.aliases.set("m", "prod", 1, "ann")
    return World(registry)


def start(world: World, plan: Plan = PLAN) -> Rollout:
    return world.registry.rollouts.start("m", plan, "ann", world.tallies)


def age(world: World, table: Table, rollout: Rollout, minutes: float = 2) -> Rollout:
    """As if the step had begun so long ago."""
    found = world.registry.rollouts.get("m", rollout.id)
    begun = canonical(datetime.fromisoformat(found.step_started_at) - timedelta(minutes=minutes))
    older = replace(found, step_started_at=begun, revision=found.revision + 1)
    table.put(Put(rollout_key("m", rollout.id), older.row(), found.revision))
    return older


def shares(world: World) -> tuple[Route, ...]:
    return world.registry.aliases.get("m", "prod").shares


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
