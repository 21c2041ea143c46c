"""A few hundred broken requests; `make bench` sends many more."""

from support.fuzzing import requests


def test_the_requests_are_good_before_they_are_broken() -> None:
    assert requests.statuses_of_good_requests() == {200: len(requests.good_requests())}


def test_whatever_comes_is_answered_or_refused_in_our_shape() -> None:
    counted = requests.run(500, seed=1)
    assert counted[200] > 50
    assert counted[400] > 100
