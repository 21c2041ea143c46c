"""Shards on moto and DynamoDB Local: repeated, late and concurrent changes have no effect."""

from dataclasses import replace
from typing import Any

import pytest

from maas.aws.clients import client
from maas.aws.dynamodb import CallFailed, Table, boto3_call
from maas.batch.job_end import JobEnd
from maas.batch.state.job_records import JobStatus, Shard, ShardStatus, shard_name
from maas.batch.state.jobs import Jobs
from maas.errors import Conflict, ServiceUnavailable
from support.aws.metering import Meter
from support.batch.made_jobs import at_once, done, job, shards


@pytest.fixture
def jobs(table: Table) -> Jobs:
    return Jobs(table)


def test_adding_shards_twice(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(32))
    jobs.shards.finish(made, shards(1)[0], done(shards(1)[0]), [])
    jobs.shards.add(made, shards(33))
    found = list(jobs.shards.all(made.id))
    assert [one.name for one in found] == [one.name for one in shards(33)]
    assert [one.status for one in found[:2]] == [ShardStatus.DONE, ShardStatus.PENDING]
    assert list(jobs.shards.pending(made.id)) == [one.name for one in shards(33)[1:]]


def test_shards_of_another_plan_are_refused(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(3))
    with pytest.raises(Conflict, match=r"shard 00002: got \[20, 25\), expected \[20, 30\)"):
        jobs.shards.add(made, [*shards(2), Shard("00002", 20, 25)])


CANCELLED = "TransactionCanceledException"


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        (CANCELLED, ["None", "ThrottlingError"]),
        (CANCELLED, ["ProvisionedThroughputExceeded", "None"]),
        ("TransactionInProgressException", []),
    ],
)
def test_throttled_shards_are_retried(endpoint_url: str, table_name: str, code: str, reasons: list[str]) -> None:
    through, refused = boto3_call(client("dynamodb", "us-east-1", endpoint_url)), [3]

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and refused[0]:
            refused[0] -= 1
            raise CallFailed(code, "not now", reasons)
        return through(operation, request)

    jobs = Jobs(Table(call, table_name))
    with pytest.raises(ServiceUnavailable):
        jobs.create(job())
    jobs.shards.add(job(), shards(12))
    assert not refused[0]
    assert [one.name for one in jobs.shards.all(job().id)] == [one.name for one in shards(12)]


def test_job_is_done_without_pending_shards(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(3))
    for shard in shards(3):
        assert not jobs.shards.all_done(made.id)
        jobs.shards.finish(made, shard, done(shard), [])
    assert jobs.shards.all_done(made.id)


def test_job_is_not_done_before_all_shards_are_stored(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(2)[:1])
    at_once([lambda: jobs.start(made.id, True, run=1)] * 4)
    started = jobs.get(made.id)
    assert (started.status, started.revision) == (JobStatus.RUNNING, 2) and jobs.is_unplanned(made.id)
    jobs.shards.finish(made, shards(1)[0], done(shards(1)[0]), [])
    assert list(jobs.shards.pending(made.id)) == [] and not jobs.shards.all_done(made.id)
    jobs.shards.add(made, shards(2))
    for _ in range(2):
        jobs.end_planning(made.id)
    assert not jobs.is_unplanned(made.id) and list(jobs.shards.pending(made.id)) == ["00001"]
    jobs.shards.finish(made, shards(2)[1], done(shards(2)[1]), [])
    assert jobs.shards.all_done(made.id)


def test_deliveries_agree_on_the_end_of_a_part(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(1))
    agreed: list[int | None] = []
    (one,) = shards(1)
    at_once([lambda end=end: agreed.append(jobs.shards.agree(made, one, end).agreed_end) for end in range(2, 10)])
    assert len(agreed) == 8
    assert len(set(agreed)) == 1


def test_shard_is_finished_once(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(2))
    first = shards(1)[0]
    rest = [first.piece(0, 4, 7), first.piece(1, 7, 10)]
    ended = done(first, agreed_end=4, rest=tuple(one.name for one in rest))
    finished: list[Shard] = []
    at_once([lambda: finished.append(jobs.shards.finish(made, first, ended, rest))] * 6)
    assert len(finished) == 6
    assert {(one.rest, one.status) for one in finished} == {(("00000_00", "00000_01"), ShardStatus.DONE)}
    names = [one.name for one in jobs.shards.all(made.id)]
    assert names == ["00000", "00000_00", "00000_01", "00001"]
    assert list(jobs.shards.pending(made.id)) == names[1:]


def test_done_shard_never_fails(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.shards.add(made, shards(2))
    jobs.shards.finish(made, shards(1)[0], done(shards(1)[0]), [])
    for name in ("00000", "00001"):
        jobs.shards.set_status(made, name, ShardStatus.FAILED, "poisoned")
    assert [(one.status, one.reason) for one in jobs.shards.all(made.id)] == [
        (ShardStatus.DONE, None),
        (ShardStatus.FAILED, "poisoned"),
    ]
    assert not jobs.shards.all_done(made.id)


def test_shard_names_sort_like_the_input() -> None:
    names = [shard_name(index) for index in (0, 9, 99_999, 100_000, 10**8)]
    first = Shard(shard_name(3), 0, 9)
    pieces = [
        first.name,
        first.piece(0, 0, 1).name,
        first.piece(0, 0, 1).piece(1, 0, 1).name,
        first.piece(1, 0, 1).name,
    ]
    pieces.append(shard_name(4))
    for suffix in ("", ".jsonl", ".0.npy", ".errors.jsonl"):  # rows in the table, and parts in the bucket's order
        assert [name + suffix for name in names] == sorted(name + suffix for name in names)
        assert [name + suffix for name in pieces] == sorted(name + suffix for name in pieces)


# ---------------------------------------------------------------- what shards add up to


def test_tally_counts_each_shard_once(jobs: Jobs) -> None:
    made = jobs.create(job())
    first, second = shards(2)
    jobs.shards.add(made, [first, second])
    rest = [first.piece(0, 4, 7), first.piece(1, 7, 10)]
    ended = done(first, agreed_end=4, rows=4, errors=3, rest=tuple(one.name for one in rest))
    at_once([lambda: jobs.shards.finish(made, first, ended, rest)] * 6)
    for _ in range(2):
        jobs.shards.set_status(made, second.name, ShardStatus.FAILED, "poisoned")
    tally = jobs.shards.tally(made.id)
    assert (tally.done, tally.failed, tally.split) == (1, 1, 2)
    assert (tally.rows, tally.errors, tally.width) == (4, 3, 4)
    assert tally.updated_at == jobs.shards.get(made.id, first.name).updated_at
    failed = jobs.shards.get(made.id, second.name)
    jobs.shards.finish(made, failed, done(failed), [])
    tally = jobs.shards.tally(made.id)
    assert (tally.done, tally.failed, tally.rows, tally.width) == (2, 0, 14, 14)


@pytest.mark.full
def test_concurrent_ends_lose_no_count(jobs: Jobs) -> None:
    made, some = jobs.create(job()), shards(40)
    jobs.shards.add(made, some)
    at_once([lambda shard=shard: jobs.shards.finish(made, shard, done(shard, errors=1), []) for shard in some])
    tally = jobs.shards.tally(made.id)
    assert (tally.done, tally.rows, tally.errors, tally.width) == (40, 400, 40, 400)


@pytest.mark.full
def test_progress_and_max_errors_cost_the_same_at_any_size(endpoint_url: str, table_name: str) -> None:
    meter = Meter(boto3_call(client("dynamodb", "us-east-1", endpoint_url)))
    jobs = Jobs(Table(meter, table_name))
    ends = JobEnd(jobs, None, None)  # type: ignore[arg-type]  # nothing ends here
    costs = []
    for number, count in enumerate((20, 400)):
        running = replace(job(number, status=JobStatus.RUNNING, options={"max_errors": 10**6}), shards=count)
        made, some = jobs.create(running), shards(count)
        jobs.shards.add(made, some)
        for shard in some[: count - 1]:
            jobs.shards.finish(made, shard, done(shard, errors=2), [])
        with meter.measured() as progress:
            jobs.get(made.id), jobs.shards.tally(made.id)
        with meter.measured() as checked:
            assert ends.check_errors(made) == made
        with meter.measured() as ended:
            jobs.shards.finish(made, some[-1], done(some[-1]), [])
        costs.append((progress, checked, ended))
    for few, many in zip(*costs, strict=True):
        assert (few.operations, few.units) == (many.operations, many.units)
    progress, checked, ended = costs[1]
    assert progress.operations == ["GetItem", "Query"] and checked.operations == ["Query"]
    assert ended.operations == ["TransactWriteItems"]
    assert progress.units <= 3 and checked.units <= 1


# ---------------------------------------------------------------- open jobs and their retention
