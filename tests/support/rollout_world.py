"""A model to roll out, and a tick whose counters and listeners the test plays."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.errors import MaasError
from maas.records.aliases import Route
from maas.registry import Registry
from maas.registry.rollout_tick import RolloutTick
from maas.registry.state.table_rows import rollout_key
from maas.rollout.guard import Guards, Tally
from maas.rollout.rollout_records import Plan, Rollout
from maas.times import canonical
from support.registry_steps import NEVER, ready

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


def made_world(registry: Registry) -> World:
    """A model `m` whose alias `prod` leads to version 1, and to 3 by a rollback."""
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
