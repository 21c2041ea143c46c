"""32 concurrent writers on one model: results of the calls, rows, history and as-of answers agree.

Every call has an actor of its own, so that it can be matched with its one history entry, or none if it was refused.
`MAAS_STRESS_SECONDS` is the duration (CI: 15), longer on a busy machine: until enough calls have succeeded.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from maas.errors import Conflict, Contended, Gone, NotFound
from maas.records import HistoryEntry, ModelFile, Status
from maas.records.aliases import Route
from maas.registry import Registry
from maas.rollout.guard import Decision, Tally, Verdict
from maas.rollout.rollout_records import Plan, Rollout, RolloutStatus
from support.replayed_history import Replayed

WRITERS = 32
ENOUGH = 2 * WRITERS
SECONDS = float(os.environ.get("MAAS_STRESS_SECONDS", "1"))
FILE = ModelFile("model.onnx", 10, "0" * 64)
KINDS = ["create", "set", "split", "split", "stick", "roll back", "delete version", "restore version", "life"]
KINDS += ["start", "start", "rollout", "rollout", "rollout"]
PLAN = Plan("prod", 1, (10, 50, 100), 1)
STICKY = ["none", "caller", "header:x-user"]


def uncounted(*_: object) -> dict[int, Tally]:
    return {}


def split(chance: random.Random) -> list[Route]:
    """Two or three routes."""
    versions, first = chance.sample(range(1, 5), chance.randint(2, 3)), chance.randint(1, 98)
    weights = [first, 100 - first] if len(versions) == 2 else [first, 1, 99 - first]
    return [Route(version, weight) for version, weight in zip(versions, weights, strict=True)]


@dataclass
class Record:
    """One call and its result."""

    actor: str
    kind: str
    result: Any = None
    refused: bool = False


@dataclass
class Writers:
    registry: Registry
    records: list[Record] = field(default_factory=list)
    crashes: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        deadline = time.monotonic() + SECONDS
        threads = [threading.Thread(target=self._write, args=(number, deadline)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _write(self, writer: int, deadline: float) -> None:
        chance = random.Random(writer)
        count = 0
        while (time.monotonic() < deadline or self.done < ENOUGH) and not self.crashes:
            count += 1
            kind = chance.choice(KINDS)
            record = Record(f"w{writer}-{count}", kind)
            try:
                record.result = self._operations(chance)[kind](record.actor)
            except (Conflict, Contended, Gone, NotFound):
                record.refused = True
            except BaseException as error:
                self.crashes.append(error)
                return
            self.records.append(record)

    @property
    def done(self) -> int:
        return sum(not record.refused for record in self.records)

    def _operations(self, chance: random.Random) -> dict[str, Callable[[str], Any]]:
        registry, number = self.registry, chance.randint(1, 4)
        return {
            "create": lambda actor: registry.versions.create("m", [FILE], "", {}, actor).number,
            "set": lambda actor: registry.aliases.set("m", "prod", number, actor),
            "split": lambda actor: registry.aliases.set("m", "prod", split(chance), actor),
            "stick": lambda actor: registry.aliases.set("m", "prod", None, actor, sticky=chance.choice(STICKY)),
            "roll back": lambda actor: registry.aliases.rollback("m", "prod", actor),
            "delete version": lambda actor: registry.versions.delete("m", number, actor, force=chance.random() < 0.3),
            "restore version": lambda actor: registry.versions.restore("m", number, actor),
            "life": lambda actor: chance.choice([registry.models.delete, *[registry.models.restore] * 4])("m", actor),
            "start": lambda actor: registry.rollouts.start("m", self._plan(chance, number), actor, uncounted),
            "rollout": lambda actor: self._move(chance, actor),
        }

    def _plan(self, chance: random.Random, number: int) -> Plan:
        return replace(PLAN, version=number, on_breach=chance.choice(["rollback", "pause"]))

    def _move(self, chance: random.Random, actor: str) -> bool | Rollout:
        """What a caller or the schedule does to one of the rollouts."""
        rollouts = self.registry.rollouts
        found = chance.choice(rollouts.page("m", 10)[0] or [None])
        if found is None:
            raise NotFound("rollout", "any")
        decision = Decision(Verdict.PROMOTE, "simulated", {}, found.standing)
        return chance.choice(
            [
                lambda: rollouts.pause("m", found.id, actor),
                lambda: rollouts.resume("m", found.id, actor, uncounted),
                lambda: rollouts.abort("m", found.id, actor),
                lambda: rollouts.breach("m", found.id, actor, "simulated"),
                *[lambda: self._look(found, lambda: rollouts.promoted(found, found, decision, actor))] * 6,
                lambda: self._look(found, lambda: rollouts.guarded(found, found, decision, actor)),
                lambda: self._look(found, lambda: rollouts.looked(found, found)),
                lambda: rollouts.told(found),
            ]
        )()

    def _look(self, found: Rollout, move: Callable[[], bool]) -> bool:
        """Only a running one is looked at."""
        return found.status is RolloutStatus.RUNNING and move()


@pytest.fixture
def written(registry: Registry) -> Writers:
    registry.models.create("m", "", {}, "setup")
    for _ in range(4):
        registry.versions.create("m", [FILE], "", {}, "setup")
    for number in range(1, 5):
        version = registry.validation.start("m", number, "setup")
        registry.validation.finish(replace(version, status=Status.READY), "setup")
    registry.aliases.set("m", "prod", 2, "setup")
    registry.rollouts.start("m", PLAN, "setup", uncounted)
    writers = Writers(registry)
    writers.run()
    return writers


@pytest.mark.full
@pytest.mark.timeout(SECONDS * 3 + 300)
def test_concurrent_changes_are_serialised(registry: Registry, written: Writers) -> None:
    assert written.crashes == []
    entries = whole_history(registry)
    model = registry.models.get("m", deleted=True)

    # The history has no gaps, is in order, and its times increase strictly.
    assert [entry.revision for entry in entries] == list(range(1, model.revision + 1))
    assert all(before.at < after.at for before, after in pairwise(entries))

    # It agrees with the current state, and with the aliases at every time.
    replayed = Replayed()
    chance = random.Random(0)
    for entry in entries:
        replayed.apply(entry)
        if chance.random() < 0.2:
            live = None if replayed.deleted else replayed.aliases.get("prod")
            expected = live.shares if live else ()
            assert registry.aliases.routes_at("m", "prod", datetime.fromisoformat(entry.at)) == expected
    kept = {name: replace(one, updated_at="", revision=0, salt="") for name, one in model.aliases.items()}
    assert kept == replayed.aliases
    assert bool(model.deleted_at) == replayed.deleted
    assert model.last_version == replayed.last_version
    versions, _ = registry.versions.page("m", 1000, keep=lambda _: True)
    assert {version.number for version in versions if version.deleted_at} == replayed.deleted_versions
    ready = [one.number for one in versions if one.status is Status.READY and not one.deleted_at]
    assert model.latest_ready_version == max(ready, default=None)

    # Results agree with it: refused calls changed nothing, each creation has its own number.
    by_actor = Counter(entry.actor for entry in entries if entry.actor != "setup")
    assert max(by_actor.values(), default=0) <= 1
    for record in written.records:
        if record.refused:
            assert by_actor[record.actor] == 0, record
        elif record.kind in ("create", "roll back", "start"):
            assert by_actor[record.actor] == 1, record
    created = [record.result for record in written.records if record.kind == "create" and not record.refused]
    assert sorted(created) == list(range(5, model.last_version + 1))
    # So do the rollouts.
    last = {entry.after["rollout"]: entry for entry in entries if entry.after and entry.kind.startswith("rollout.")}
    for number, entry in last.items():
        found = registry.rollouts.indexed("m", number)
        assert found
        assert (found.status, found.weight) == ((entry.after or {})["status"], (entry.after or {})["weight"])
        assert found.is_open == (model.aliases.get("prod") is not None and model.aliases["prod"].rollout == number)
    moved = Counter(entry.kind for entry in entries if entry.kind.startswith("rollout."))
    assert moved["rollout.started"]
    print(f"{len(written.records)} calls, {dict(moved)}, {written.done} done, {len(entries)} history entries")


def whole_history(registry: Registry) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    after = None
    while True:
        page, after = registry.history.page("m", 1000, after)
        entries += page
        if after is None:
            return entries[::-1]
