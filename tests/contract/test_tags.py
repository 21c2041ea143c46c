"""Limits of tags, at creation and after each change."""

import pytest

from maas.errors import InvalidRequest
from maas.registry import Registry
from support.registry_steps import FILE

MANY = {f"k{number}": "v" for number in range(50)}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"a=b": "c"}, "got the key 'a=b', expected 1 to 128 characters without '='"),
        ({"=": "c"}, "got the key '='"),
        ({"": "c"}, "got the key ''"),
        ({"k" * 129: "c"}, "got the key 'kkk"),
        ({"k": "v" * 257}, "got 257 characters for 'k', expected 1 to 256"),
        ({"k": ""}, "got 0 characters for 'k'"),
        (MANY | {"one-more": "v"}, "got 51, expected at most 50"),
    ],
)
def test_tag_limits(registry: Registry, tags: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        registry.models.create("m", "", tags, "ann")
    registry.models.create("m", "", {"k0": "x"}, "ann")
    with pytest.raises(InvalidRequest, match=message):
        registry.models.update("m", "ann", tags=tags)
    with pytest.raises(InvalidRequest, match=message):
        registry.versions.create("m", [FILE], "", tags, "ann")
    registry.versions.create("m", [FILE], "", {}, "ann")
    with pytest.raises(InvalidRequest, match=message):
        registry.versions.update("m", 1, "ann", tags=tags)
    assert registry.models.get("m").tags == {"k0": "x"}
    assert registry.versions.get("m", 1)[0].tags == {}


def test_tag_limit_after_a_merge(registry: Registry) -> None:
    model = registry.models.create("m", "", MANY, "ann")
    with pytest.raises(InvalidRequest, match="got 51, expected at most 50"):
        registry.models.update("m", "ann", tags={"one-more": "v"})
    assert registry.models.get("m") == model
    changed = registry.models.update("m", "ann", tags={"one-more": "v", "k0": None})
    assert len(changed.tags) == 50 and "k0" not in changed.tags
    assert registry.models.update("m", "ann", "described").tags == changed.tags
