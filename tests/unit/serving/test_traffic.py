"""How an alias's requests are shared among its routes."""

from collections import Counter

import numpy as np
import pytest

from maas.records import ModelVersion, Status
from maas.records.aliases import Alias, Route, Routes, main_version, whole
from maas.registry import Resolution
from maas.serving.traffic import Sender, Traffic, place_of

CALLERS = [f"key:{number:016x}" for number in range(100_000)]
SALT = "00112233445566778899aabbccddeeff"
# The largest chi-square of one in a million fair samples, by degrees of freedom: scipy.stats.chi2.isf(1e-6, n)
LARGEST = {1: 23.9, 2: 27.6, 3: 30.7, 99: 180.8}


def traffic(routes: Routes, sticky: str = "none", salt: str = SALT) -> Traffic:
    versions = tuple(ModelVersion("m", route.version, Status.READY, (), "", "", 1) for route in routes)
    several = routes if len(routes) > 1 else ()
    alias = Alias(main_version(routes), "", 1, routes=several, sticky=sticky, salt=salt)
    return Traffic(Resolution(routes, versions, "prod", alias))


def canary(weight: int, sticky: str = "caller", salt: str = SALT) -> Traffic:
    return traffic((Route(2, weight), Route(1, 100 - weight)), sticky, salt)


def by_caller(shared: Traffic) -> list[int]:
    return [shared.pick(Sender(caller, {})).version.number for caller in CALLERS]


def chi_square(counts: Counter[int], routes: Routes) -> float:
    expected = {route.version: counts.total() * route.weight / 100 for route in routes}
    return sum((counts[version] - mean) ** 2 / mean for version, mean in expected.items())


@pytest.mark.parametrize("sticky", ["none", "caller", "header:X-User"])
@pytest.mark.parametrize("weights", [{2: 1, 1: 99}, {2: 50, 1: 50}, {3: 5, 2: 20, 1: 75}, {7: 25, 5: 25, 3: 25, 2: 25}])
def test_distribution(sticky: str, weights: dict[int, int]) -> None:
    routes = tuple(Route(version, weight) for version, weight in weights.items())
    shared = traffic(routes, sticky)
    counts = Counter(shared.pick(Sender(one, {"x-user": one})).version.number for one in CALLERS)
    assert chi_square(counts, routes) < LARGEST[len(routes) - 1]


def test_places_are_uniform() -> None:
    counts = Counter(place_of(caller, bytes.fromhex(SALT)) for caller in CALLERS)
    assert sorted(counts) == list(range(100))
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < LARGEST[99]


@pytest.mark.full
def test_nobody_leaves_a_growing_canary() -> None:
    before: set[str] = set()
    for weight in (1, 5, 25, 50, 75, 99):
        picked = by_caller(canary(weight))
        inside = {caller for caller, version in zip(CALLERS, picked, strict=True) if version == 2}
        assert before < inside
        before = inside


def test_a_newer_version_takes_from_the_low_end() -> None:
    """A third version beside a canary: those whom it does not take stay or move down by what it takes."""
    two = np.array(by_caller(traffic((Route(2, 20), Route(1, 80)), "caller")))
    three = np.array(by_caller(traffic((Route(3, 5), Route(2, 20), Route(1, 75)), "caller")))
    assert set(two[three == 3]) == {2}
    assert set(two[three == 2]) == {1, 2}
    assert set(two[three == 1]) == {1}


def test_an_older_version_that_grows_keeps_its_callers() -> None:
    few, many = np.array(by_caller(canary(90))), np.array(by_caller(canary(60)))
    assert set(many[few == 1]) == {1}


def test_environments_agree_and_aliases_do_not() -> None:
    first, second = by_caller(canary(30)), by_caller(canary(30))
    assert first == second
    other = by_caller(canary(30, salt=SALT[::-1]))
    both = sum(one == two == 2 for one, two in zip(first, other, strict=True))
    assert 8_500 < both < 9_500  # independent: 30 % of 30 %


def test_stickiness_to_a_header() -> None:
    shared = canary(50, "header:X-User")
    picked = {shared.pick(Sender(caller, {"x-user": "ann"})).version.number for caller in CALLERS[:50]}
    assert len(picked) == 1
    for headers in ({}, {"x-user": ""}, {"x-other": "ann"}):
        at_random = {shared.pick(Sender("key:1", headers)).version.number for _ in range(100)}
        assert at_random == {1, 2}


def test_a_caller_without_a_name_is_shared_at_random() -> None:
    assert {canary(50).pick(Sender("", {})).version.number for _ in range(100)} == {1, 2}


def test_without_a_sender_the_main_version() -> None:
    assert {canary(40).pick(None).version.number for _ in range(50)} == {1}
    assert canary(50).pick(None).version.number == 1
    assert canary(60).pick(None).version.number == 2


def test_the_alias_is_told() -> None:
    assert canary(50).pick(Sender("key:1", {})).alias == "prod"
    version = ModelVersion("m", 1, Status.READY, (), "", "", 1)
    numbered = Traffic(Resolution(whole(1), (version,))).pick(Sender("key:1", {}))
    assert (numbered.version, numbered.alias) == (version, None)


@pytest.mark.parametrize("key", ["ü", "\udce4", "", "a" * 100_000])
def test_any_text_is_a_key(key: str) -> None:
    assert 0 <= place_of(key, b"") < 100
