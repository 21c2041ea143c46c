"""Shadow and capture of aliases, on moto and on DynamoDB Local."""

from datetime import UTC, datetime

import pytest

from maas.errors import Conflict, NotFound, NotReady, PreconditionFailed
from maas.records.aliases import Route
from maas.records.samples import Capture, Samples, Shadow
from maas.registry import Registry
from maas.registry.aliases import Given
from support.registry_steps import FILE, ready

SHADOW = Shadow(3, 12.5, "values", 1e-05, 0.0)
CAPTURE = Capture(0.1, 30, "inputs", ("name", "x"))


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "", {}, "ann")
    for _ in range(3):
        ready(registry)
    registry.aliases.set("m", "prod", 1, "ann", samples={"shadow": SHADOW, "capture": CAPTURE})


def last(registry: Registry) -> tuple[str, object, object]:
    entry = registry.history.page("m", 1)[0][0]
    return entry.kind, entry.before, entry.after


def test_samples_are_kept_as_they_were_set(registry: Registry) -> None:
    found = registry.aliases.get("m", "prod")
    assert found.samples == Samples(SHADOW, CAPTURE)
    assert registry.resolution("m", "prod").alias == found
    assert last(registry) == (
        "alias.set",
        None,
        {
            "version": 1,
            "shadow": {"version": 3, "percent": 12.5, "compare": "values", "rtol": 1e-05, "atol": 0.0},
            "capture": {"percent": 0.1, "days": 30, "what": "inputs", "redact": ["name", "x"]},
        },
    )


def test_other_changes_leave_them(registry: Registry) -> None:
    routes = [Route(2, 10), Route(1, 90)]
    changes = [
        registry.aliases.set("m", "prod", 2, "ann"),
        registry.aliases.set("m", "prod", routes, "ann", sticky="caller"),
        registry.aliases.rollback("m", "prod", "ann"),
    ]
    assert {alias.samples for alias in changes} == {Samples(SHADOW, CAPTURE)}
    registry.models.delete("m", "ann")
    registry.models.restore("m", "ann")
    assert registry.aliases.get("m", "prod").samples == Samples(SHADOW, CAPTURE)


@pytest.mark.parametrize("name", ["shadow", "capture"])
def test_null_removes_one(registry: Registry, name: str) -> None:
    registry.aliases.set("m", "prod", 2, "ann")
    given: Given = {name: None}  # type: ignore[misc]
    found = registry.aliases.set("m", "prod", None, "ann", samples=given)
    assert getattr(found, name) is None
    assert found.samples == (Samples(None, CAPTURE) if name == "shadow" else Samples(SHADOW, None))
    assert (found.version, found.previous_version) == (2, 1)  # still the way back
    again = registry.aliases.set("m", "prod", None, "ann", samples=given)
    assert again == found
    assert registry.models.get("m").revision == found.revision  # nothing changed, no entry


def test_a_shadow_must_be_ready(registry: Registry) -> None:
    registry.versions.create("m", [FILE], "", {}, "ann")
    for version, error in ((4, NotReady), (99, NotFound)):
        with pytest.raises(error):
            registry.aliases.set("m", "prod", None, "ann", samples={"shadow": Shadow(version, 1)})
    with pytest.raises(NotFound):  # no alias yet, and no version for it
        registry.aliases.set("m", "other", None, "ann", samples={"capture": CAPTURE})


def test_etag_guards_samples(registry: Registry) -> None:
    etag = registry.aliases.get("m", "prod").etag
    changed = registry.aliases.set("m", "prod", None, "ann", etag, samples={"capture": None})
    assert changed.etag != etag
    with pytest.raises(PreconditionFailed):
        registry.aliases.set("m", "prod", None, "bob", etag, samples={"shadow": None})


def test_a_shadow_is_protected_from_deletion(registry: Registry) -> None:
    with pytest.raises(Conflict, match="version 3 of model 'm' is the shadow of aliases: prod; remove it there"):
        registry.versions.delete("m", 3, "ann")
    deleted = registry.versions.delete("m", 3, "ann", force=True)
    assert (deleted.removed, deleted.changed) == ([], [])
    assert registry.aliases.get("m", "prod").samples == Samples(None, CAPTURE)
    assert last(registry) == ("version.deleted", {"shadows": ["prod"]}, None)
    assert registry.aliases.routes_at("m", "prod", datetime.now(UTC)) == (Route(1, 100),)


def test_a_route_that_is_a_shadow_too(registry: Registry) -> None:
    registry.aliases.set("m", "prod", 3, "ann")
    registry.versions.delete("m", 3, "ann", force=True)
    assert registry.models.get("m").aliases == {}
    assert last(registry) == ("version.deleted", {"aliases": ["prod"], "shadows": ["prod"]}, None)


def test_an_alias_without_samples_has_none(registry: Registry) -> None:
    assert registry.aliases.set("m", "plain", 1, "ann").samples is None
    assert Samples(SHADOW, CAPTURE).percent == 12.5
    assert Samples(SHADOW, CAPTURE).due(0.05) == Samples(SHADOW, CAPTURE)
    assert Samples(SHADOW, CAPTURE).due(5) == Samples(SHADOW)
