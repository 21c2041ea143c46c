"""The registry's rules on moto and on DynamoDB Local."""

import threading
from dataclasses import replace

import pytest

from maas.aws.dynamodb import Table
from maas.errors import AlreadyExists, InvalidRequest, NotFound, NotReady
from maas.records import MetadataTensor, ModelFile, ModelVersion, Status
from maas.registry import Registry

FILE = ModelFile("model.onnx", 10, "0" * 64)
SIGNATURE = (MetadataTensor("x", "FP32", (-1, 3)),)


def created(registry: Registry, model: str = "m") -> ModelVersion:
    return registry.versions.create(model, [FILE], "", {}, "ann")


def ready(registry: Registry, model: str = "m") -> ModelVersion:
    version = registry.validation.start(model, created(registry, model).number, "deployment")
    found = replace(
        version, status=Status.READY, inputs=SIGNATURE, outputs=SIGNATURE, profile={"load_ms": 1.5}, warnings=("w",)
    )
    return registry.validation.finish(found, "deployment")


def history(table: Table, model: str = "m") -> list[dict[str, object]]:
    return table.query(f"M#{model}", "H#", limit=1000)[0]


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "a model", {"team": "vision"}, "ann")


def test_created_model(registry: Registry) -> None:
    found = registry.models.get("m")
    assert (found.description, found.tags, found.aliases, found.last_version) == ("a model", {"team": "vision"}, {}, 0)


def test_duplicate_model_name(registry: Registry) -> None:
    with pytest.raises(AlreadyExists):
        registry.models.create("m", "another", {}, "bob")
    assert registry.models.get("m").description == "a model"


@pytest.mark.full(keep=6)
@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "ü", "a" * 64, "a\n"])
def test_invalid_model_names(registry: Registry, name: str) -> None:
    with pytest.raises(InvalidRequest):
        registry.models.create(name, "", {}, "ann")


def test_model_pagination(registry: Registry) -> None:
    for name in ("c", "a", "b"):
        registry.models.create(name, "", {}, "ann")
    first, after = registry.models.page(2)
    second, end = registry.models.page(2, after)
    assert [model.name for model in first + second] == ["a", "b", "c", "m"]
    assert end is None or registry.models.page(2, end) == ([], None)


def test_concurrent_version_numbers_have_no_gap(registry: Registry) -> None:
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(created(registry).number)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 9))
    assert registry.models.get("m").last_version == 8


def test_finished_validation(registry: Registry) -> None:
    assert created(registry).status is Status.PENDING_UPLOAD
    version = ready(registry)
    assert registry.versions.get("m", 2)[0] == version
    assert (version.status, version.inputs, version.warnings) == (Status.READY, SIGNATURE, ("w",))
    assert version.profile == {"load_ms": 1.5}
    assert registry.models.get("m").latest_ready_version == 2


def test_outcome_is_final(registry: Registry) -> None:
    version = ready(registry)
    again = registry.validation.finish(replace(version, status=Status.FAILED, status_reason="late"), "deployment")
    assert again == version == registry.validation.start("m", 1, "deployment")


def test_outcome_needs_a_started_validation(registry: Registry) -> None:
    version = created(registry)
    assert registry.validation.finish(replace(version, status=Status.READY), "x").status is Status.PENDING_UPLOAD


@pytest.mark.full(keep=2)
@pytest.mark.parametrize("name", ["x" * 3000, "No Name", ""])
def test_invalid_names_are_not_found(registry: Registry, name: str) -> None:
    for call in (
        lambda: registry.models.get(name),
        lambda: registry.versions.get(name, 1),
        lambda: registry.resolve(name, None),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(NotFound):
        registry.resolve("m", "x" * 3000)


def test_version_pagination(registry: Registry) -> None:
    for _ in range(5):
        created(registry)
    first, after = registry.versions.page("m", 2)
    second, last = registry.versions.page("m", 2, after)
    third, end = registry.versions.page("m", 2, last)
    assert [version.number for version in first + second + third] == [5, 4, 3, 2, 1]
    assert end is None


def test_not_found_names_the_item(registry: Registry) -> None:
    for call in (
        lambda: registry.models.get("n"),
        lambda: created(registry, "n"),
        lambda: registry.versions.get("n", 1),
    ):
        with pytest.raises(NotFound, match="there is no model 'n'"):
            call()
    with pytest.raises(NotFound, match="there is no version '7' of model 'm'"):
        registry.versions.get("m", 7)
    with pytest.raises(NotFound, match="there is no alias 'prod' of model 'm'"):
        registry.aliases.delete("m", "prod", "ann")


def test_alias_needs_a_ready_version(registry: Registry) -> None:
    created(registry)
    ready(registry)
    with pytest.raises(NotReady):
        registry.aliases.set("m", "prod", 1, "ann")
    assert registry.aliases.set("m", "prod", 2, "ann").version == 2
    assert registry.models.get("m").aliases_on(2) == ["prod"]


@pytest.mark.parametrize("alias", ["7", "Prod", "", "a b"])
def test_invalid_alias_names(registry: Registry, alias: str) -> None:
    ready(registry)
    with pytest.raises(InvalidRequest):
        registry.aliases.set("m", alias, 1, "ann")


def test_resolve_reference(registry: Registry) -> None:
    with pytest.raises(NotReady, match="model 'm' is without a READY version"):
        registry.resolve("m", None)
    ready(registry), ready(registry), created(registry)
    assert registry.resolve("m", None).number == 2
    registry.aliases.set("m", "default", 1, "ann")
    assert [registry.resolve("m", reference).number for reference in (None, "default", "2")] == [1, 1, 2]
    with pytest.raises(NotReady):
        registry.resolve("m", "3")
    with pytest.raises(NotFound):
        registry.resolve("m", "prod")


def test_one_history_entry_per_change(registry: Registry, table: Table) -> None:
    ready(registry)
    registry.aliases.set("m", "prod", 1, "bob")
    registry.aliases.set("m", "prod", 1, "bob")  # no change, no entry
    registry.aliases.delete("m", "prod", "cyd")
    entries = history(table)
    assert [(entry["revision"], entry["kind"], entry["actor"]) for entry in entries] == [
        (1, "model.created", "ann"),
        (2, "version.created", "ann"),
        (3, "version.validating", "deployment"),
        (4, "version.ready", "deployment"),
        (5, "alias.set", "bob"),
        (6, "alias.deleted", "cyd"),
    ]
    assert (entries[4]["before"], entries[4]["after"]) == (None, {"version": 1})
    assert registry.models.get("m").revision == 6
    times = [entry["at"] for entry in entries]
    assert times == sorted(set(times))


@pytest.mark.full
def test_concurrent_alias_moves(registry: Registry, table: Table) -> None:
    for _ in range(2):
        ready(registry)
    moves = [threading.Thread(target=registry.aliases.set, args=("m", f"a{n}", n % 2 + 1, "ann")) for n in range(8)]
    for move in moves:
        move.start()
    for move in moves:
        move.join()
    assert {name: alias.version for name, alias in registry.models.get("m").aliases.items()} == {
        f"a{n}": n % 2 + 1 for n in range(8)
    }
    assert [entry["revision"] for entry in history(table)] == list(range(1, registry.models.get("m").revision + 1))
