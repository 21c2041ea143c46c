"""A few hundred broken requests; `make bench` sends many more."""

from support.fuzzing import requests


def test_original_requests_are_good() -> None:
    assert requests.statuses_of_good_requests() == {200: len(requests.good_requests())}


def test_broken_requests_are_answered_or_refused() -> None:
    counted = requests.run(500, seed=1)
    assert counted[200] > 50
    assert counted[400] > 100
