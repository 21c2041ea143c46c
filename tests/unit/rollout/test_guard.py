"""The guard of a rollout: its chance to err is what it says, it sees what it should, else it waits."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.rollout import ERRORS_ALONE, MINUTES, STEPS, Traffic, simulate
from maas.rollout.exact_counts import against_limit, against_stable
from maas.rollout.guard import OVERALL, Guards, Standing, Tally, Verdict, decide
from maas.rollout.sequential import CELLS, SequentialTest


def look(guards: Guards, canary: Tally, stable: Tally, standing: Standing | None = None, over: bool = True):
    return decide(guards, standing or Standing(), canary, stable, step_is_over=over)


@pytest.mark.parametrize(
    ("canary", "stable", "bad"), [(3, 7, 4), (60, 540, 9), (5, 0, 2), (0, 9, 3), (8, 8, 0), (4, 2, 5)]
)
def test_counts_against_the_stable_version(canary, stable, bad):
    found = against_stable(canary, stable, bad)
    ways = [math.comb(canary, x) * math.comb(stable, bad - x) for x in range(bad + 1)]
    exact = {x: way / math.comb(canary + stable, bad) for x, way in enumerate(ways) if way}
    assert dict(enumerate(found.probabilities, found.first)) == pytest.approx(exact, rel=1e-9)
    mean = sum(x * chance for x, chance in exact.items())
    assert found.mean == pytest.approx(mean)
    assert found.variance == pytest.approx(sum((x - mean) ** 2 * chance for x, chance in exact.items()))


def test_counts_against_a_limit():
    found = against_limit(20, 0.1)
    assert found.probabilities[2] == pytest.approx(math.comb(20, 2) * 0.1**2 * 0.9**18)
    assert (found.mean, found.variance) == pytest.approx((2, 1.8))
    assert sum(against_limit(1_000_000, 0.05).probabilities) == pytest.approx(1, abs=1e-6)


LOOKS = [(60, 540, 7), (20, 180, 12), (60, 60, 5), (0, 300, 4), (100, 90, 30)]  # canary, stable, bad


def test_the_chance_to_err_is_what_is_spent():
    """Each way in which chance can hand the bad requests out, and which of them end in a breach."""
    crossing = 0.0
    paths = [(SequentialTest(), 1.0)]
    for canary, stable, bad in LOOKS:
        counts = against_stable(canary, stable, bad)
        following: dict[SequentialTest, float] = {}
        for test, chance in paths:
            for found, likely in enumerate(counts.probabilities, counts.first):
                after = test.look(counts, found, 0.05)
                if after.crossed:
                    crossing += chance * likely
                else:
                    following[after] = following.get(after, 0.0) + chance * likely
        paths = list(following.items())
    assert crossing == pytest.approx(paths[0][0].spent, rel=1e-6)
    assert 0.03 < crossing <= 0.05


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("each", [30_000, 2_000_000])
def test_many_requests_cost_no_more(each):
    """The cells of the distribution stay few, and the chance to err what it is."""
    draw, crossed, runs = np.random.default_rng(each), 0, 200
    for _ in range(runs):
        test = SequentialTest()
        for _ in range(3):
            bad = int(draw.binomial(each, 0.05))
            counts = against_stable(each // 4, each - each // 4, bad)
            test = test.look(counts, int(draw.hypergeometric(each // 4, each - each // 4, bad)), 0.2)
            assert len(test.masses) <= 3 * CELLS
        crossed += test.crossed
        assert test.spent == pytest.approx(0.2, rel=0.05)
    assert 0.1 < crossed / runs < 0.3  # three standard deviations around 0.2


@pytest.mark.parametrize(
    "traffic", [Traffic(10, (0.01, 0.01)), Traffic(1, (0.05, 0.05)), Traffic(1000, (0.001, 0.001))]
)
def test_an_equal_version_goes_on(traffic):
    runs = [simulate(traffic, STEPS, MINUTES, seed) for seed in range(20)]
    assert all(run.spent <= OVERALL for run in runs)
    assert sum(bool(run.breached_at) for run in runs) <= 2


def test_a_worse_version_goes_back_within_five_minutes():
    found = [simulate(Traffic(10, (0.01, 0.05)), (0.1,), 5, seed, ERRORS_ALONE).breached_at for seed in range(400)]
    assert sum(map(bool, found)) >= 370  # 95.2 % are seen: 380, and four standard deviations less is 363


def test_errors_breach_against_the_stable_version():
    found = look(Guards(), Tally(300, 15), Tally(2700, 27))
    assert found.verdict is Verdict.BREACH
    assert found.reason == (
        "errors: 15 of 300 requests (5.00%) of the canary failed, 27 of 2700 requests (1.00%) of the stable version, "
        "4.2 expected were they alike"
    )
    assert found.figures["breached"] == ["errors"]


def test_errors_that_both_have_breach_the_limit_alone():
    canary, stable = Tally(1000, 100), Tally(9000, 900)
    assert look(Guards(), canary, stable).verdict is Verdict.PROMOTE
    found = look(Guards(error_rate=0.05), canary, stable)
    assert found.verdict is Verdict.BREACH
    assert (
        found.reason
        == "error_rate: 100 of 1000 requests (10.00%) of the canary failed, 50.0 expected at a limit of 5.00%"
    )


@pytest.mark.parametrize(
    ("guards", "canary", "stable", "test"),
    [
        (Guards(p95_ms=80), Tally(500, slow=60), Tally(4500, slow=90), "slower"),
        (Guards(p95_ms=80), Tally(500, slow=60), Tally(4500, slow=540), "p95_ms"),
        (Guards(), Tally(50, refused=50), Tally(450, refused=2), "refused"),
        (Guards(shadow_mismatch=0.01), Tally(200, compared=200, mismatched=20), Tally(1800), "shadow_mismatch"),
    ],
)
def test_refused_slow_and_different_answers_breach(guards, canary, stable, test):
    found = look(guards, canary, stable, over=False)
    assert (found.verdict, found.figures["breached"][0]) == (Verdict.BREACH, test)
    assert found.reason.startswith(f"{test}: ")
    without = replace(guards, p95_ms=None, shadow_mismatch=None)
    assert test == "refused" or look(without, canary, stable, over=False).verdict is Verdict.HOLD


@pytest.mark.parametrize(
    ("canary", "stable", "over", "reason"),
    [
        (Tally(), Tally(), True, "the canary had 0 requests in this step, min_requests is 100"),
        (Tally(99), Tally(900), True, "the canary had 99 requests in this step, min_requests is 100"),
        (Tally(100), Tally(99), True, "the stable version had 99 requests, min_requests is 100"),
        (Tally(500), Tally(900), False, "the step's time is not over"),
    ],
)
def test_too_few_requests_hold(canary, stable, over, reason):
    found = look(Guards(), canary, stable, over=over)
    assert (found.verdict, found.reason) == (Verdict.HOLD, reason)


def test_a_shadow_without_comparisons_holds():
    assert look(Guards(shadow_mismatch=0.01), Tally(500), Tally(900)).verdict is Verdict.HOLD


def test_requests_of_the_step_before_do_not_count():
    first = look(Guards(), Tally(100), Tally(900))
    assert first.verdict is Verdict.PROMOTE
    standing = first.standing.at_next_step()
    assert look(Guards(), Tally(199), Tally(1900), standing).verdict is Verdict.HOLD
    assert look(Guards(), Tally(200), Tally(1900), standing).verdict is Verdict.PROMOTE


def test_a_few_failing_requests_of_many_are_enough():
    """A canary that only fails goes back long before it had min_requests."""
    assert look(Guards(), Tally(6, 6), Tally(114, 0), over=False).verdict is Verdict.BREACH
    assert look(Guards(), Tally(1, 1), Tally(19, 0), over=False).verdict is Verdict.HOLD


def test_a_standing_survives_being_stored():
    standing = look(Guards(p95_ms=80), Tally(300, 4, slow=3), Tally(2700, 27, slow=30)).standing
    stored = {
        "canary": {"requests": 300, "errors": 4, "slow": 3},
        "stable": {"requests": 2700, "errors": 27, "slow": 30},
        "step_from": 0,
        "tests": {name: test.row() for name, test in standing.tests.items()},
    }
    found = Standing.of(stored)
    assert replace(found, tests={}) == replace(standing, tests={})
    for name, test in standing.tests.items():
        assert found.tests[name].masses == pytest.approx(test.masses, rel=1e-6)
        assert replace(found.tests[name], masses=()) == replace(test, masses=())


def test_counts_that_went_away_change_nothing():
    standing = look(Guards(), Tally(300, 4), Tally(2700, 27)).standing
    assert look(Guards(), Tally(10, 10), Tally(20), standing).standing == standing
