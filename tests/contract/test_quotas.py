"""Quotas of a model: versions and bytes, also under concurrency."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from maas.errors import QuotaExceeded
from maas.records import ModelQuota, ModelVersion
from maas.registry import Registry
from support.registry_steps import FILE, NEVER, ready


@pytest.fixture(autouse=True)
def model(registry: Registry) -> None:
    registry.models.create("m", "a model", {"team": "vision"}, "ann")


def test_version_quota(registry: Registry) -> None:
    quota = ModelQuota(versions=2)

    def create() -> ModelVersion:
        return registry.versions.create("m", [FILE], "", {}, "ann", quota=quota)

    create(), create()
    before = registry.models.get("m")
    with pytest.raises(
        QuotaExceeded, match=r"versions kept of model 'm' .*: got 3, expected at most 2; try again in 3600 s"
    ):
        create()
    assert registry.models.get("m") == before
    registry.versions.delete("m", 1, "ann")
    with pytest.raises(QuotaExceeded):  # deleted versions count until they are purged
        create()
    assert registry.purge(lambda *_: True).version("m", 1, "ann", NEVER)
    assert create().number == 3
    assert registry.models.get("m").kept_versions == 2


def test_byte_quota(registry: Registry) -> None:
    quota = ModelQuota(size_bytes=25)
    for _ in range(2):
        registry.versions.create("m", [FILE], "", {}, "ann", quota=quota)
    with pytest.raises(QuotaExceeded, match=r"bytes kept of model 'm' .*: got 30, expected at most 25"):
        registry.versions.create("m", [FILE], "", {}, "ann", quota=quota)
    small = replace(FILE, size_bytes=5)
    assert registry.versions.create("m", [small], "", {}, "ann", quota=quota).number == 3
    assert registry.models.get("m").kept_bytes == 25


def test_purge_frees_the_quota(registry: Registry) -> None:
    ready(registry)
    registry.models.delete("m", "ann")
    assert registry.models.get("m", deleted=True).kept_bytes == FILE.size_bytes
    assert registry.purge(lambda *_: True).model("m", "ann", NEVER)
    registry.models.create("m", "", {}, "ann")
    model = registry.models.get("m")
    assert (model.kept_versions, model.kept_bytes, model.last_version) == (0, 0, 1)


def test_quota_under_concurrency(registry: Registry) -> None:
    def create(_: int) -> bool:
        try:
            registry.versions.create("m", [FILE], "", {}, "ann", quota=ModelQuota(versions=3))
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(8))) == 3
