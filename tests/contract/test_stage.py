"""What a validation does at the moment, shown on its version."""

from dataclasses import replace

import pytest

from maas.records import Stage, Status
from maas.registry import Registry
from support.registry_steps import FILE, ready


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "", {}, "ann")


def test_stage_ends_with_the_validation(registry: Registry) -> None:
    registry.versions.create("m", [FILE], "", {}, "ann")
    before = registry.validation.start("m", 1, "deployment")
    registry.validation.set_stage("m", 1, Stage.LOADING)
    shown, _ = registry.versions.get("m", 1)
    assert shown == replace(before, stage=Stage.LOADING)  # neither revision nor time: it is no change of the version
    done = registry.validation.finish(replace(shown, status=Status.READY), "deployment")
    assert (done.status, done.stage) == (Status.READY, None)


def test_late_stage_changes_nothing(registry: Registry) -> None:
    ready(registry)
    before, _ = registry.versions.get("m", 1)
    registry.validation.set_stage("m", 1, Stage.LOADING)
    registry.validation.set_stage("m", 9, Stage.LOADING)
    registry.validation.set_stage("absent", 1, Stage.LOADING)
    assert registry.versions.get("m", 1)[0] == before


def test_change_during_a_stage_stays(registry: Registry) -> None:
    registry.versions.create("m", [FILE], "", {}, "ann")
    registry.validation.start("m", 1, "deployment")
    registry.validation.set_stage("m", 1, Stage.LOADING)
    registry.versions.update("m", 1, "ann", "described", None)
    registry.validation.set_stage("m", 1, Stage.PREPARING)
    version, _ = registry.versions.get("m", 1)
    assert (version.description, version.stage) == ("described", Stage.PREPARING)
