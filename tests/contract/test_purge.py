"""Purge: by call and by schedule, interrupted and repeated; on moto and on DynamoDB Local."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from maas.errors import Conflict, NotFound, ServiceUnavailable
from maas.registry import Registry
from support.registry_steps import NEVER, Objects, kinds, ready


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "a model", {"team": "vision"}, "ann")


def test_purge_needs_a_deletion(registry: Registry) -> None:
    ready(registry)
    objects = Objects()
    with pytest.raises(Conflict, match="model 'm' is not deleted: delete it before purging"):
        registry.purge(objects).model("m", "bob", NEVER)
    with pytest.raises(Conflict, match="version 1 of model 'm' is not deleted: delete it before purging"):
        registry.purge(objects).version("m", 1, "bob", NEVER)
    assert objects.prefixes == []


def test_purged_model_keeps_history_and_counter(registry: Registry) -> None:
    ready(registry), ready(registry)
    registry.models.delete("m", "bob")
    objects = Objects()
    assert registry.purge(objects).model("m", "bob", NEVER)
    assert registry.purge(objects).model("m", "bob", NEVER)  # idempotent
    assert objects.prefixes == ["models/m/"]
    for call in (lambda: registry.models.get("m", deleted=True), lambda: registry.resolve("m", "1")):
        with pytest.raises(NotFound):
            call()
    assert registry.models.page(10, keep=lambda _: True)[0] == []
    assert kinds(registry)[-3:] == ["model.deleted", "model.purging", "model.purged"]

    again = registry.models.create("m", "anew", {}, "ann")
    assert (again.aliases, again.tags, again.latest_ready_version) == ({}, {}, None)
    assert ready(registry).number == 3
    with pytest.raises(NotFound):
        registry.versions.get("m", 1)


def test_interrupted_purge_continues_and_cannot_be_undone(registry: Registry) -> None:
    ready(registry)
    registry.models.delete("m", "bob")
    assert not registry.purge(Objects(False)).model("m", "bob", NEVER)
    with pytest.raises(Conflict, match="is being purged"):
        registry.models.restore("m", "bob")
    long_ago = datetime.now(UTC) - timedelta(days=365)
    assert list(registry.purge(Objects()).expired(long_ago, "maintenance", NEVER)) == ["m"]
    assert list(registry.purge(Objects()).expired(long_ago, "maintenance", NEVER)) == []
    assert kinds(registry).count("model.purging") == 1


def test_schedule_purges_only_expired_deletions(registry: Registry) -> None:
    for name in ("old", "older", "live"):
        registry.models.create(name, "", {}, "ann")
        ready(registry, name)
    registry.versions.delete("live", 1, "bob")
    registry.versions.delete("older", 1, "bob")
    registry.models.delete("older", "bob")
    registry.models.delete("old", "bob")
    now = datetime.now(UTC)
    registry.models.delete("m", "bob")
    objects = Objects()
    purged = list(registry.purge(objects).expired(now, "maintenance", NEVER))
    assert sorted(purged) == ["live@1", "old", "older"]
    assert sorted(objects.prefixes) == ["models/live/1/", "models/old/", "models/older/"]
    assert registry.models.restore("m", "bob").deleted_at is None
    with pytest.raises(NotFound):
        registry.versions.get("live", 1, deleted=True)
    assert list(registry.purge(objects).expired(now, "maintenance", NEVER)) == []


def test_purge_stops_at_its_deadline(registry: Registry) -> None:
    registry.models.delete("m", "bob")
    assert list(registry.purge(Objects()).expired(datetime.now(UTC), "maintenance", time.monotonic() - 1)) == []


def deleted(registry: Registry, *names: str) -> None:
    for name in names:
        registry.models.create(name, "", {}, "ann")
        registry.models.delete(name, "bob")


def test_schedule_continues_after_a_failure(registry: Registry) -> None:
    deleted(registry, "a", "b", "c")
    gone: list[str] = []

    def delete_objects(prefix: str, _: float, last: int | None) -> bool:
        if prefix == "models/b/":
            raise ServiceUnavailable("S3")
        gone.append(prefix)
        return True

    purged: list[str] = []
    with pytest.raises(ExceptionGroup, match="not purged: b") as caught:
        purged.extend(registry.purge(delete_objects).expired(datetime.now(UTC), "maintenance", NEVER))
    assert [type(one) for one in caught.value.exceptions] == [ServiceUnavailable]
    assert gone == ["models/a/", "models/c/"]
    assert list(registry.purge(Objects()).expired(datetime.now(UTC), "maintenance", NEVER)) == ["b"]


@pytest.mark.parametrize("again", [False, True], ids=["restored", "deleted-again"])
def test_restored_models_are_passed_over(registry: Registry, again: bool) -> None:
    """The sweep reads a page of deletions first; meanwhile the purge of another item takes its time."""
    deleted(registry, "a", "b")
    ready(registry)
    registry.versions.delete("m", 1, "bob")
    before = datetime.now(UTC)
    prefixes: list[str] = []

    def restore_others(prefix: str, _: float, last: int | None) -> bool:
        prefixes.append(prefix)
        registry.models.restore("b", "carl")
        registry.versions.restore("m", 1, "carl")
        if again:
            registry.models.delete("b", "carl")
            registry.versions.delete("m", 1, "carl")
        return True

    assert list(registry.purge(restore_others).expired(before, "maintenance", NEVER)) == ["a"]
    assert prefixes == ["models/a/"]
    assert bool(registry.models.get("b", deleted=True).deleted_at) is again
    assert not registry.models.get("b", deleted=True).purging
    assert not registry.versions.get("m", 1, deleted=True)[0].purging
    assert list(registry.purge(Objects()).expired(before, "maintenance", NEVER)) == []


def test_overlapping_purges_spare_the_model_that_comes_after(registry: Registry) -> None:
    """One purge deletes objects; meanwhile another one finishes, and the name is used again."""
    ready(registry)
    registry.models.delete("m", "bob")
    asked: list[tuple[str, int | None]] = []

    def finish_another(prefix: str, deadline: float, last: int | None) -> bool:
        asked.append((prefix, last))
        assert registry.purge(Objects()).model("m", "carl", NEVER)
        registry.models.create("m", "anew", {}, "carl")
        assert ready(registry).number == 2
        return True

    assert registry.purge(finish_another).model("m", "bob", NEVER)
    assert asked == [("models/m/", 1)]  # not what version 2 has stored meanwhile
    assert registry.models.get("m").description == "anew"
    assert registry.versions.get("m", 2)[0].number == 2
    assert registry.resolve("m", "2").number == 2
    assert kinds(registry).count("model.purged") == 1


def test_purge_that_another_one_finished_is_done(registry: Registry) -> None:
    registry.models.delete("m", "bob")

    def finish_another(prefix: str, deadline: float, last: int | None) -> bool:
        return registry.purge(Objects()).model("m", "carl", NEVER)

    assert registry.purge(finish_another).model("m", "bob", NEVER)
    assert kinds(registry).count("model.purged") == 1


def test_purge_of_a_version_that_the_schedule_finished_is_done(registry: Registry) -> None:
    """The mark of a purge lets the schedule finish it, at any moment from then on."""
    ready(registry)
    registry.versions.delete("m", 1, "bob")

    def finish_another(prefix: str, deadline: float, last: int | None) -> bool:
        long_ago = datetime.now(UTC) - timedelta(days=365)
        assert list(registry.purge(Objects()).expired(long_ago, "maintenance", NEVER)) == ["m@1"]
        return True

    assert registry.purge(finish_another).version("m", 1, "bob", NEVER)
    assert kinds(registry).count("version.purged") == 1
