"""Delete, restore, rollback and history, on moto and on DynamoDB Local."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from maas.errors import AlreadyExists, Conflict, Gone, NotFound, NotReady, PreconditionFailed
from maas.records import Status, Task
from maas.registry import Idempotency, Registry
from support.registry_steps import FILE, NEVER, Objects, kinds, ready, state


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "a model", {"team": "vision"}, "ann")


# ------------------------------------------------------------------- deleting


def test_restore_undoes_delete(registry: Registry) -> None:
    for _ in range(3):
        ready(registry)
    registry.aliases.set("m", "prod", 1, "ann")
    registry.aliases.set("m", "prod", 2, "ann")
    before = state(registry)
    registry.models.delete("m", "bob")
    registry.models.restore("m", "cyd")
    assert state(registry) == before
    assert registry.aliases.rollback("m", "prod", "ann").version == 1


def test_deleted_model_is_gone(registry: Registry) -> None:
    ready(registry)
    registry.models.delete("m", "bob")
    calls: list[Callable[[], object]] = [
        lambda: registry.models.get("m"),
        lambda: registry.versions.get("m", 1),
        lambda: registry.resolve("m", None),
        lambda: registry.resolve("m", "1"),
        lambda: registry.aliases.set("m", "prod", 1, "ann"),
        lambda: registry.versions.create("m", [FILE], "", {}, "ann"),
        lambda: registry.models.update("m", "ann", "new"),
        lambda: registry.versions.delete("m", 1, "ann"),
    ]
    for call in calls:
        with pytest.raises(Gone, match="restore it with POST /api/v1/models/m/restore"):
            call()
    assert registry.models.get("m", deleted=True).deleted_at
    assert registry.models.page(10)[0] == []
    with pytest.raises(AlreadyExists, match="it is deleted: restore it, or purge it"):
        registry.models.create("m", "", {}, "ann")


def test_delete_and_restore_are_idempotent(registry: Registry) -> None:
    first = registry.models.delete("m", "bob")
    assert registry.models.delete("m", "bob") == first
    second = registry.models.restore("m", "bob")
    assert registry.models.restore("m", "bob") == second
    assert kinds(registry) == ["model.created", "model.deleted", "model.restored"]


def test_version_with_aliases_needs_force(registry: Registry) -> None:
    ready(registry), ready(registry)
    for alias in ("canary", "prod"):
        registry.aliases.set("m", alias, 1, "ann")
    with pytest.raises(Conflict, match="version 1 of model 'm' has aliases: canary, prod"):
        registry.versions.delete("m", 1, "bob")
    version, removed, changed = registry.versions.delete("m", 1, "bob", force=True)
    assert (bool(version.deleted_at), removed, changed) == (True, ["canary", "prod"], [])
    assert registry.models.get("m").aliases == {}
    with pytest.raises(Gone, match="POST /api/v1/models/m/versions/1/restore"):
        registry.resolve("m", "1")
    with pytest.raises(NotFound):
        registry.resolve("m", "prod")
    assert registry.versions.restore("m", 1, "bob").deleted_at is None
    assert registry.resolve("m", "1").number == 1


def test_latest_ready_version_after_delete_and_restore(registry: Registry) -> None:
    for _ in range(3):
        ready(registry)
    registry.versions.create("m", [FILE], "", {}, "ann")  # never READY
    followed = [registry.resolve("m", None).number]
    for number in (3, 1, 2):
        registry.versions.delete("m", number, "bob")
        followed.append(registry.models.get("m").latest_ready_version or 0)
    registry.versions.restore("m", 1, "bob")
    followed.append(registry.resolve("m", None).number)
    registry.versions.restore("m", 3, "bob")
    followed.append(registry.resolve("m", None).number)
    assert followed == [3, 2, 2, 0, 1, 3]


def test_the_newest_ready_versions_task_is_the_models(registry: Registry) -> None:
    for task in (None, Task("rerank"), Task("embeddings")):
        ready(registry, task=task)
    followed = [registry.models.get("m").latest_ready_task]
    for number in (3, 2):
        registry.versions.delete("m", number, "bob")
        followed.append(registry.models.get("m").latest_ready_task)
    for number in (3, 2):
        registry.versions.restore("m", number, "bob")
        followed.append(registry.models.get("m").latest_ready_task)
    assert followed == ["embeddings", "rerank", None, "embeddings", "embeddings"]


def test_alias_to_deleted_version_is_refused(registry: Registry) -> None:
    ready(registry)
    registry.versions.delete("m", 1, "bob")
    with pytest.raises(Gone):
        registry.aliases.set("m", "prod", 1, "ann")


def test_validation_of_a_deleted_model_is_kept(registry: Registry) -> None:
    registry.versions.create("m", [FILE], "", {}, "ann")
    version = registry.validation.start("m", 1, "deployment")
    registry.models.delete("m", "bob")
    registry.validation.finish(replace(version, status=Status.READY), "deployment")
    registry.models.restore("m", "bob")
    assert registry.resolve("m", None).number == 1


# ------------------------------------------------------- rollback and history


def test_second_rollback_undoes_the_first(registry: Registry) -> None:
    for _ in range(3):
        ready(registry)
    registry.aliases.set("m", "prod", 1, "ann")
    with pytest.raises(Conflict, match="has no previous version to roll back to"):
        registry.aliases.rollback("m", "prod", "bob")
    registry.aliases.set("m", "prod", 2, "ann")
    registry.aliases.set("m", "prod", 3, "ann")
    assert [registry.aliases.rollback("m", "prod", "bob").version for _ in range(2)] == [2, 3]
    registry.versions.delete("m", 2, "bob")
    with pytest.raises(Gone):
        registry.aliases.rollback("m", "prod", "bob")
    with pytest.raises(NotFound):
        registry.aliases.rollback("m", "canary", "bob")


def test_alias_version_at_a_time(registry: Registry) -> None:
    ready(registry), ready(registry)
    expected: list[list[int]] = []
    moments: list[datetime] = []

    def now_is(*versions: int) -> None:
        expected.append([*versions])
        moments.append(datetime.now(UTC))
        time.sleep(0.002)

    now_is()
    registry.aliases.set("m", "prod", 1, "ann")
    now_is(1)
    registry.aliases.set("m", "prod", 2, "ann")
    now_is(2)
    registry.aliases.rollback("m", "prod", "ann")
    now_is(1)
    registry.models.delete("m", "ann")
    now_is()
    registry.models.restore("m", "ann")
    now_is(1)
    registry.versions.delete("m", 1, "ann", force=True)
    now_is()
    registry.models.delete("m", "ann")
    registry.purge(Objects()).model("m", "ann", NEVER)
    now_is()
    led = [registry.aliases.routes_at("m", "prod", moment) for moment in moments]
    assert [[route.version for route in routes] for routes in led] == expected
    assert registry.aliases.routes_at("m", "canary", moments[3]) == ()
    with pytest.raises(NotFound):
        registry.aliases.routes_at("n", "prod", moments[0])


def test_history_filters_and_pagination(registry: Registry) -> None:
    ready(registry)
    registry.aliases.set("m", "prod", 1, "bob")
    registry.models.update("m", "bob", "better", {"team": None, "lang": "de"})
    first, after = registry.history.page("m", 2)
    rest, end = registry.history.page("m", 100, after)
    assert [entry.revision for entry in first + rest] == [6, 5, 4, 3, 2, 1]
    assert end is None
    assert [entry.kind for entry in registry.history.page("m", 10, actor="bob")[0]] == ["model.updated", "alias.set"]
    assert [entry.actor for entry in registry.history.page("m", 10, kind="alias.set")[0]] == ["bob"]
    assert first[0].before == {"description": "a model", "tags": {"team": "vision"}}
    assert first[0].after == {"description": "better", "tags": {"lang": "de"}}


# -------------------------------------------- preconditions and repeated calls


def test_if_match_conflict_returns_the_current_state(registry: Registry) -> None:
    ready(registry), ready(registry)
    registry.aliases.set("m", "prod", 1, "ann")
    model, version = registry.models.get("m"), registry.versions.get("m", 1)[0]
    alias = model.aliases["prod"]
    stale = [
        lambda: registry.models.update("m", "bob", "new", if_match=model.etag),
        lambda: registry.models.delete("m", "bob", model.etag),
        lambda: registry.versions.update("m", 1, "bob", "new", if_match=version.etag(["prod"])),
        lambda: registry.versions.delete("m", 1, "bob", if_match=version.etag(["prod"])),
        lambda: registry.aliases.set("m", "prod", 1, "bob", alias.etag),
        lambda: registry.aliases.delete("m", "prod", "bob", alias.etag),
        lambda: registry.aliases.rollback("m", "prod", "bob", alias.etag),
    ]
    registry.aliases.set("m", "prod", 2, "ann")
    before = registry.models.get("m")
    for change in stale:
        with pytest.raises(PreconditionFailed, match="but the ETag is now"):
            change()
    assert registry.models.get("m") == before
    fresh = registry.models.update("m", "bob", "new", if_match=before.etag)
    assert fresh.description == "new"
    assert registry.models.update("m", "bob", "newer", if_match="*").description == "newer"


def test_version_update_keeps_the_deployment(registry: Registry) -> None:
    version = ready(registry)
    updated = registry.versions.update("m", 1, "bob", "best", {"f1": "0.9"})
    assert (updated.description, updated.tags) == ("best", {"f1": "0.9"})
    assert replace(updated, description="", tags={}, revision=0, updated_at="") == replace(
        version, revision=0, updated_at=""
    )
    assert registry.versions.update("m", 1, "bob", "best") == updated  # no change


def test_idempotency_key(registry: Registry) -> None:
    key = Idempotency("ann", "key-1", "digest")
    model = registry.models.create("other", "", {}, "ann", key)
    assert registry.models.create("other", "", {}, "ann", key) == model
    again = Idempotency("ann", "key-2", "digest")
    versions = [registry.versions.create("other", [FILE], "", {}, "ann", again) for _ in range(3)]
    assert [version.number for version in versions] == [1, 1, 1]
    with pytest.raises(Conflict, match="already used for a different request"):
        registry.versions.create("other", [FILE], "", {}, "ann", replace(again, digest="another"))
    theirs = registry.versions.create("other", [FILE], "", {}, "bob", replace(again, actor="bob"))
    assert theirs.number == 2


@pytest.mark.full
def test_alias_limit(registry: Registry) -> None:
    ready(registry)
    for number in range(100):
        registry.aliases.set("m", f"a{number}", 1, "ann")
    with pytest.raises(Conflict, match="has 100 aliases, the maximum"):
        registry.aliases.set("m", "one-more", 1, "ann")
    removed = registry.versions.delete("m", 1, "ann", force=True).removed
    assert len(removed) == 100
    with pytest.raises((Gone, NotReady)):
        registry.aliases.set("m", "prod", 1, "ann")


def test_lists_exclude_deleted_models(registry: Registry) -> None:
    for name in ("aa", "ab", "b"):
        registry.models.create(name, "", {"kind": name}, "ann")
    registry.models.delete("ab", "ann")
    assert [model.name for model in registry.models.page(10, prefix="a")[0]] == ["aa"]
    assert [model.name for model in registry.models.page(10, prefix="a", keep=lambda _: True)[0]] == ["aa", "ab"]
    assert [model.name for model in registry.models.page(10, keep=lambda m: "kind" in m.tags)[0]] == ["aa", "ab", "b"]


def test_secret_is_constant(registry: Registry) -> None:
    assert registry.secret("one") == registry.secret("one") != registry.secret("two")
    assert len(registry.secret("one")) == 32
