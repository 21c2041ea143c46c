"""Versions that did not become READY: restarted, and purged when abandoned; on moto and on DynamoDB Local."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maas.aws.dynamodb import Table
from maas.errors import NotFound
from maas.records import ModelVersion, Status
from maas.registry import Idempotency, Registry
from maas.registry.state.table_rows import UNREADY
from support.registry_steps import FILE, NEVER, Objects, kinds, ready


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "", {}, "ann")


def pending(registry: Registry) -> ModelVersion:
    return registry.versions.create("m", [FILE], "", {}, "ann")


def validating(registry: Registry) -> ModelVersion:
    return registry.validation.start("m", pending(registry).number, "deployment")


def failed(registry: Registry) -> ModelVersion:
    broken = replace(validating(registry), status=Status.FAILED, status_reason="broken")
    return registry.validation.finish(broken, "deployment")


def sweep(registry: Registry, objects: Callable[[str, float], bool], before: datetime | None = None) -> list[str]:
    return list(registry.purge(objects).abandoned(before or datetime.now(UTC), "maintenance", NEVER))


def test_abandoned_versions_are_purged(registry: Registry, table: Table) -> None:
    ready(registry), pending(registry), failed(registry), validating(registry)
    objects = Objects()
    assert sweep(registry, objects) == ["m@2", "m@3", "m@4"]
    assert objects.prefixes == ["models/m/2/", "models/m/3/", "models/m/4/"]
    owner = registry.models.get("m")
    assert (owner.kept_versions, owner.kept_bytes) == (1, FILE.size_bytes)
    assert [one.number for one in registry.versions.page("m", 10, keep=lambda _: True)[0]] == [1]
    assert kinds(registry).count("version.purging") == kinds(registry).count("version.purged") == 3
    assert not table.keys(UNREADY, "", limit=10) and not table.keys("DELETED", "", limit=10)
    assert sweep(registry, Objects()) == []


def test_recent_versions_stay(registry: Registry) -> None:
    first = pending(registry)
    between = datetime.now(UTC)
    pending(registry)
    registry.versions.update("m", first.number, "ann", "a description")  # somebody cares
    assert sweep(registry, Objects(), between) == []


def test_version_that_becomes_ready_meanwhile_stays(registry: Registry) -> None:
    """The index is read first; meanwhile the purge of another version takes its time."""
    pending(registry)
    last = validating(registry)

    def finish_another(*_: object) -> bool:
        registry.validation.finish(replace(last, status=Status.READY), "deployment")
        return True

    assert sweep(registry, finish_another) == ["m@1"]
    assert registry.resolve("m", "2").status is Status.READY


def test_interrupted_purge_is_finished_by_the_schedule(registry: Registry) -> None:
    pending(registry)
    assert sweep(registry, Objects(False)) == []
    long_ago = datetime.now(UTC) - timedelta(days=365)
    assert list(registry.purge(Objects()).expired(long_ago, "maintenance", NEVER)) == ["m@1"]
    assert registry.models.get("m").kept_versions == 0


def test_deleted_versions_and_models_keep_their_own_time(registry: Registry, table: Table) -> None:
    failed(registry), failed(registry)
    registry.versions.delete("m", 1, "bob")
    assert sweep(registry, Objects()) == ["m@2"]
    failed(registry)
    registry.models.delete("m", "bob")
    assert sweep(registry, Objects()) == []
    assert registry.purge(Objects()).model("m", "bob", NEVER)
    assert sweep(registry, Objects()) == []
    assert not table.keys(UNREADY, "", limit=10)


def test_same_bytes_can_be_dropped_after_the_purge(registry: Registry) -> None:
    def drop(*, expires: bool) -> ModelVersion:
        once = Idempotency("inbox/m", f"digest-{expires}", "digest", expires=expires)
        return registry.versions.create("m", [FILE], "", {}, "inbox", once)

    assert drop(expires=False) == drop(expires=False)
    drop(expires=True)
    assert sweep(registry, Objects()) == ["m@1", "m@2"]
    assert drop(expires=False).number == 3
    with pytest.raises(NotFound):
        drop(expires=True)


def test_stalled_versions(registry: Registry) -> None:
    pending(registry), failed(registry), ready(registry)
    first = validating(registry)
    between = datetime.now(UTC)
    validating(registry)
    registry.versions.delete("m", validating(registry).number, "ann")
    assert list(registry.stalled(between)) == [first]
    assert [one.number for one in registry.stalled(datetime.now(UTC))] == [first.number, first.number + 1]
