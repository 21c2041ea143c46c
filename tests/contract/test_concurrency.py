"""32 concurrent writers on one model: results of the calls, rows, history and as-of answers agree.

Every call has an actor of its own, so that it can be matched with its one history entry, or none if it was refused.
`MAAS_STRESS_SECONDS` is the duration (CI: 30), longer on a busy machine: until enough calls have succeeded.
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
from maas.registry import Registry

WRITERS = 32
ENOUGH = 2 * WRITERS
SECONDS = float(os.environ.get("MAAS_STRESS_SECONDS", "1"))
FILE = ModelFile("model.onnx", 10, "0" * 64)


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
            kind = chance.choice(["create", "set", "set", "roll back", "delete version", "restore version", "life"])
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
            "set": lambda actor: registry.aliases.set("m", "prod", number, actor).version,
            "roll back": lambda actor: registry.aliases.rollback("m", "prod", actor).version,
            "delete version": lambda actor: registry.versions.delete("m", number, actor, force=chance.random() < 0.3),
            "restore version": lambda actor: registry.versions.restore("m", number, actor),
            "life": lambda actor: chance.choice([registry.models.delete, *[registry.models.restore] * 4])("m", actor),
        }


@dataclass
class Replayed:
    """The state derived from the history."""

    last_version: int = 0
    aliases: dict[str, int] = field(default_factory=dict)
    deleted: bool = False
    deleted_versions: set[int] = field(default_factory=set)

    def apply(self, entry: HistoryEntry) -> None:
        match entry.kind:
            case "version.created":
                assert entry.version == self.last_version + 1
                self.last_version = entry.version
            case "alias.set" | "alias.rolled_back":
                assert entry.alias
                assert entry.after
                assert (entry.before or {}).get("version") == self.aliases.get(entry.alias)
                assert entry.after["version"] not in self.deleted_versions
                self.aliases[entry.alias] = entry.after["version"]
            case "version.deleted":
                assert entry.version
                on_it = sorted(name for name, version in self.aliases.items() if version == entry.version)
                assert (entry.before or {}).get("aliases", []) == on_it
                self.deleted_versions.add(entry.version)
                self.aliases = {name: version for name, version in self.aliases.items() if version != entry.version}
            case "version.restored":
                assert entry.version
                self.deleted_versions.remove(entry.version)
            case "model.deleted" | "model.restored":
                assert self.deleted == (entry.kind == "model.restored")
                self.deleted = not self.deleted
        if entry.kind not in ("model.restored", "model.created", "version.validating", "version.ready"):
            assert not self.deleted or entry.kind == "model.deleted"


@pytest.fixture
def written(registry: Registry) -> Writers:
    registry.models.create("m", "", {}, "setup")
    for _ in range(4):
        registry.versions.create("m", [FILE], "", {}, "setup")
    for number in range(1, 5):
        version = registry.versions.start_validation("m", number, "setup")
        registry.versions.finish_validation(replace(version, status=Status.READY), "setup")
    writers = Writers(registry)
    writers.run()
    return writers


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
            expected = None if replayed.deleted else replayed.aliases.get("prod")
            assert registry.aliases.version_at("m", "prod", datetime.fromisoformat(entry.at)) == expected
    assert {name: alias.version for name, alias in model.aliases.items()} == replayed.aliases
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
        elif record.kind in ("create", "roll back"):
            assert by_actor[record.actor] == 1, record
    created = [record.result for record in written.records if record.kind == "create" and not record.refused]
    assert sorted(created) == list(range(5, model.last_version + 1))
    print(f"{len(written.records)} calls, {written.done} done, {len(entries)} history entries")


def whole_history(registry: Registry) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    after = None
    while True:
        page, after = registry.history.page("m", 1000, after)
        entries += page
        if after is None:
            return entries[::-1]
