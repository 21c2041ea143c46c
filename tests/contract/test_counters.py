"""Counters of several environments, on both engines: nothing is counted twice, nothing is lost."""

import random
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.errors import ServiceUnavailable
from maas.metrics import counter_rows, counters
from maas.metrics.counter_rows import Step
from maas.metrics.counters import Counters
from maas.metrics.counts import Counts
from maas.metrics.metrics import Metrics
from support.observations import seen

MEMORY_MB = 1024


def of_the_last_minutes(metrics: Metrics, now: datetime) -> dict[int, Counts]:
    return metrics.counts("m", None, Step.MINUTE.floor(now - timedelta(minutes=10)), now + timedelta(minutes=1))


def test_everything_that_is_counted(signed_table: Table, metrics: Metrics, now: datetime) -> None:
    environment = Counters(signed_table, MEMORY_MB, init_ms=300)
    environment.count(seen(now, 5.2, rows=8))
    environment.count(seen(now, 0.3, 400, error="InvalidTensor"))
    environment.count(seen(now, 900, 504, error="DeadlineExceeded"))
    environment.count_shard("m", 1, records=1000, errors=3, compute_s=0.5, mb_ms=environment.mb_ms(1.5))
    environment.flush()
    (found,) = of_the_last_minutes(metrics, now).values()
    assert found == Counts(
        requests=3,
        errors=1,
        refused=1,
        rows=10,
        compute_us=2600 + 150 + 450_000 + 500_000,
        success_us=5200,
        fail_us=300 + 900_000,
        billed_ms=300 + 6 + 1 + 900,
        mb_ms=(300 + 6 + 1 + 900) * MEMORY_MB,
        bytes_in=300,
        bytes_out=30,
        shards=1,
        records=1000,
        record_errors=3,
        batch_mb_ms=1500 * MEMORY_MB,
        histogram={17: 1, 1: 1, 47: 1},
        reasons={"InvalidTensor": 1, "DeadlineExceeded": 1},
    )


def test_rows_expire(signed_table: Table, table: Table, now: datetime) -> None:
    environment = Counters(signed_table, MEMORY_MB)
    environment.count(seen(now))
    environment.flush()
    rows = [row for shard in range(counter_rows.SHARDS) for _, row in table.between(f"S#m#{shard}", "", "~")]
    marks, _ = table.query(counter_rows.active_partition(now), "", limit=10)
    for row in [*rows, *marks]:
        assert row["expires_at"] == pytest.approx(time.time() + 15 * 24 * 3600, abs=61)
    assert len(rows) == len(marks) == 1


@pytest.mark.full
def test_sum_over_environments_is_what_was_sent(signed_table: Table, metrics: Metrics, now: datetime) -> None:
    """Eight environments flush at once, and conflict with each other."""
    environments = [Counters(signed_table, MEMORY_MB) for _ in range(8)]
    sent = [Counter[int]() for _ in environments]

    def work(environment: Counters, mine: Counter[int], chance: random.Random) -> None:
        for _ in range(5):
            for _ in range(chance.randrange(1, 20)):
                version = chance.randrange(1, 4)
                environment.count(seen(now, version=version))
                mine[version] += 1
            environment.flush()

    given = zip(environments, sent, map(random.Random, range(8)), strict=True)
    threads = [threading.Thread(target=work, args=one) for one in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for environment in environments:  # what lost every race waits for the next flush
        environment.flush()
    found = of_the_last_minutes(metrics, now)
    assert {version: counts.requests for version, counts in found.items()} == dict(sum(sent, Counter[int]()))


class Network:
    """A way to DynamoDB that fails at will, before it gets there or on the way back."""

    def __init__(self, endpoint_url: str) -> None:
        self._call = boto3_call(client("dynamodb", "us-east-1", endpoint_url))
        self.loses_requests = self.loses_answers = False

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if self.loses_requests:
            raise ServiceUnavailable("DynamoDB")
        answer = self._call(operation, request)
        if self.loses_answers:
            raise ServiceUnavailable("DynamoDB")
        return answer


@pytest.fixture
def network(endpoint_url: str) -> Network:
    return Network(endpoint_url)


@pytest.fixture
def behind(network: Network, table_name: str) -> Counters:
    """An environment behind that network."""
    return Counters(Table(network, table_name), MEMORY_MB)


@pytest.fixture
def knows_tokens(request: pytest.FixtureRequest) -> None:
    if "moto" in request.node.callspec.id:
        pytest.skip("moto takes no notice of ClientRequestToken")


def requests(metrics: Metrics, now: datetime) -> int:
    return Counts.sum(of_the_last_minutes(metrics, now).values()).requests


def test_flush_that_fails_is_made_up_for(behind: Counters, network: Network, metrics: Metrics, now: datetime) -> None:
    network.loses_requests = True
    for _ in range(3):
        behind.count(seen(now))
        behind.flush()
    assert requests(metrics, now) == 0
    network.loses_requests = False
    behind.count(seen(now))
    behind.flush()
    assert requests(metrics, now) == 4


def test_flush_whose_answer_is_lost_counts_once(
    behind: Counters, network: Network, metrics: Metrics, now: datetime, knows_tokens: None
) -> None:
    network.loses_answers = True
    behind.count(seen(now))
    behind.flush()
    behind.flush()
    network.loses_answers = False
    behind.count(seen(now))
    behind.flush()
    assert requests(metrics, now) == 2


def test_what_may_have_been_written_is_given_up_when_its_token_is_forgotten(
    behind: Counters, network: Network, metrics: Metrics, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "TOKEN_SECONDS", 0)
    network.loses_answers = True
    behind.count(seen(now))
    behind.flush()
    network.loses_answers = False
    behind.flush()
    assert requests(metrics, now) <= 1


def test_only_what_cannot_be_written_is_dropped(
    behind: Counters, network: Network, metrics: Metrics, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_UNSENT", 1)
    for version in range(1, 13):  # three transactions
        behind.count(seen(now, version=version))
    behind.flush()
    assert requests(metrics, now) == 12
    network.loses_requests = True
    for _ in range(3):
        behind.count(seen(now))
        behind.flush()
    network.loses_requests = False
    behind.flush()
    assert requests(metrics, now) == 13


def test_killed_environment_loses_what_it_did_not_flush(signed_table: Table, metrics: Metrics, now: datetime) -> None:
    for flushed in (True, False):
        environment = Counters(signed_table, MEMORY_MB)
        for _ in range(7):
            environment.count(seen(now))
        if flushed:
            environment.flush()
        environment.count(seen(now))
        del environment
    assert requests(metrics, now) == 7


@pytest.mark.parametrize(("difference", "largest"), [(0.1, 0.125), (3.0, 4.0), (1e-30, 2.0**-60), (1e30, 2.0**100)])
def test_differences_of_any_size(
    signed_table: Table, metrics: Metrics, now: datetime, difference: float, largest: float
) -> None:
    environment = Counters(signed_table, 1024)
    counts = Counts(shadow_compared=1, shadow_mismatched=1)
    counts.add_difference(difference)
    environment.count_samples("m", 2, "a", counts)
    environment.flush()
    found = of_the_last_minutes(metrics, now)[2]
    assert (found.shadow_compared, found.largest_difference) == (1, largest)


def test_more_versions_than_fit_into_a_transaction(signed_table: Table, metrics: Metrics, now: datetime) -> None:
    environment = Counters(signed_table, MEMORY_MB)
    for version in range(1, 13):
        environment.count(seen(now, version=version))
    environment.flush()
    assert set(of_the_last_minutes(metrics, now)) == set(range(1, 13))


def test_memory_is_bounded(
    signed_table: Table, metrics: Metrics, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_CELLS", 3)
    environment = Counters(signed_table, MEMORY_MB)
    for version in (1, 2, 3, 4, 5, 1):
        environment.count(seen(now, version=version))
    environment.flush()
    assert {version: one.requests for version, one in of_the_last_minutes(metrics, now).items()} == {1: 2, 2: 1, 3: 1}
