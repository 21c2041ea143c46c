"""Jobs and shards on moto and DynamoDB Local: repeated, late and concurrent changes have no effect."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from arro3 import core
from arro3.io import write_parquet

from maas.aws.clients import client
from maas.aws.dynamodb import CallFailed, Table, boto3_call
from maas.batch import formats
from maas.batch.job_end import JobEnd
from maas.batch.job_records import BatchJob, JobStatus, Part, Shard, ShardStatus, shard_name
from maas.batch.jobs import Jobs
from maas.errors import Conflict, NotFound, ServiceUnavailable
from support.aws.metering import Meter
from support.batch.files import MemorySource

NOW = "2026-01-31T12:00:00.000000Z"


def job(number: int = 0, **fields: object) -> BatchJob:
    made = BatchJob(
        id=f"{number:020x}",
        kind="batch",
        model="m",
        version=1,
        input_key="batch/data/x.jsonl",
        output=f"batch/output/{number}/",
        created_at=f"2026-01-31T12:00:{number:02d}.000000Z",
        updated_at=NOW,
        expires_at=4_000_000_000,
        actor="ann",
        status=JobStatus.PLANNING,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def shards(count: int) -> list[Shard]:
    return [Shard(shard_name(index), index * 10, index * 10 + 10) for index in range(count)]


def done(shard: Shard, **fields: object) -> Shard:
    part = Part(f"part-{shard.name}", 3, "0" * 64)
    finished = replace(shard, status=ShardStatus.DONE, agreed_end=shard.end, parts=(part,), rows=10)
    return replace(finished, **fields)  # type: ignore[arg-type]


def at_once(calls: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def jobs(table: Table) -> Jobs:
    return Jobs(table)


def test_job_is_created_once(jobs: Jobs) -> None:
    first = jobs.create(job())
    assert jobs.create(job(actor="bob")) == first == jobs.get(first.id)


def test_output_folder_of_one_job(jobs: Jobs) -> None:
    jobs.create(job(1))
    with pytest.raises(Conflict, match="another job writes to batch/output/1/"):
        jobs.create(job(2, output="batch/output/1/"))
    with pytest.raises(NotFound):
        jobs.get(job(2).id)


@pytest.mark.parametrize(
    ("first", "second"),
    [("batch/output/a/", "batch/output/a/b/"), ("batch/output/a/b/c/", "batch/output/a/")],
)
def test_nested_output_folders_are_refused(jobs: Jobs, first: str, second: str) -> None:
    jobs.create(job(1, output=first))
    with pytest.raises(Conflict, match=f"another job writes to {first}, and {second} is nested with it") as refused:
        jobs.create(job(2, output=second))
    assert refused.value.field == "output"
    with pytest.raises(NotFound):
        jobs.get(job(2).id)
    for number, folder in enumerate(("batch/output/ab/", "batch/output/a-/b/", "batch/output/b/a/"), start=3):
        jobs.create(job(number, output=folder))


def test_nested_output_folder_of_the_same_job(jobs: Jobs) -> None:
    made = jobs.create(job(1, output="batch/output/a/b/"))
    assert jobs.create(job(1, output="batch/output/a/b/")) == made


@pytest.mark.parametrize("folder", ["batch/output/a/", "batch/output/a/b/c/"])
def test_nested_output_folders_of_concurrent_jobs(endpoint_url: str, table_name: str, folder: str) -> None:
    """Another job is created between the check and the write: the later one sees it after its write."""
    through = boto3_call(client("dynamodb", "us-east-1", endpoint_url))
    plain, overtake = Jobs(Table(through, table_name)), [job(2, output="batch/output/a/b/")]

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and overtake:
            plain.create(overtake.pop())
        return through(operation, request)

    jobs = Jobs(Table(call, table_name))
    with pytest.raises(Conflict, match="another job writes to batch/output/a/b/"):
        jobs.create(job(1, output=folder))
    assert [one.id for one in plain.page(10, None)[0]] == [job(2).id]
    assert plain.create(job(3, output=folder.replace("/a/", "/z/")))


def test_expired_job_is_not_found(jobs: Jobs) -> None:
    made = jobs.create(job(expires_at=1_700_000_000))
    with pytest.raises(NotFound):
        jobs.get(made.id)
    with pytest.raises(NotFound):
        jobs.move(made.id, JobStatus.FINISHING, [JobStatus.PLANNING])
    with pytest.raises(Conflict, match="name another folder"):
        jobs.create(job())


def test_pages_of_jobs_newest_first(jobs: Jobs) -> None:
    for number in range(5):
        jobs.create(job(number))
    first, after = jobs.page(3, None)
    second, _ = jobs.page(3, after)
    assert [int(one.id, 16) for one in first + second] == [4, 3, 2, 1, 0]


@pytest.mark.full(keep=1)
def test_pages_of_large_jobs_end_before_an_answers_limit(jobs: Jobs) -> None:
    """A job has up to 64 kB of names in its options."""
    options = {"columns": ['"' * 64_000]}
    for number in range(40):
        jobs.create(job(number, options=options))
    found, after, sizes = list[int](), None, []
    while not sizes or after:
        page, after = jobs.page(1000, after)
        found += [int(one.id, 16) for one in page]
        sizes.append(len(page))
    assert found == [*reversed(range(40))]
    assert 2 <= len(sizes) <= 4 and max(sizes) < 25


def test_move_checks_the_status(jobs: Jobs) -> None:
    jobs.create(job())
    running = jobs.move(job().id, JobStatus.RUNNING, [JobStatus.PLANNING], format="jsonl")
    assert (running.status, running.format) == (JobStatus.RUNNING, "jsonl")
    assert jobs.move(job().id, JobStatus.PLANNING, [JobStatus.UPLOADING]) == running


def test_stored_layout_keeps_the_order_of_columns(jobs: Jobs) -> None:
    names = [f"f{place * 7 % 40}" for place in range(40)]
    file = io.BytesIO()
    column = core.Array([1.0], core.DataType.float64())
    write_parquet(core.Table.from_pydict(dict.fromkeys(names, column)), file)
    layout = formats.plan("parquet", MemorySource(file.getvalue()), 1 << 20).layout
    jobs.create(job())
    jobs.move(job().id, JobStatus.RUNNING, [JobStatus.PLANNING], format="parquet", layout=layout)
    assert jobs.get(job().id).layout == layout == {"columns": [[name, "float64"] for name in names], "index": []}


def test_cancel(jobs: Jobs) -> None:
    jobs.create(job())
    cancelled = jobs.cancel(job().id)
    assert jobs.cancel(job().id) == cancelled
    jobs.create(job(1, status=JobStatus.SUCCEEDED))
    with pytest.raises(Conflict, match="SUCCEEDED"):
        jobs.cancel(job(1).id)


def test_one_of_many_writers_ends_a_job(jobs: Jobs) -> None:
    jobs.create(job(status=JobStatus.RUNNING))
    ended: list[BatchJob] = []

    def end(status: JobStatus) -> None:
        ended.append(jobs.move(job().id, status, [JobStatus.RUNNING]))

    at_once([lambda status=status: end(status) for status in (JobStatus.FAILED, JobStatus.FINISHING) * 4])
    assert {one.status for one in ended} == {jobs.get(job().id).status}
    assert jobs.get(job().id).revision == 2


def test_adding_shards_twice(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(32))
    jobs.finish_shard(made, shards(1)[0], done(shards(1)[0]), [])
    jobs.add_shards(made, shards(33))
    found = list(jobs.shards(made.id))
    assert [one.name for one in found] == [one.name for one in shards(33)]
    assert [one.status for one in found[:2]] == [ShardStatus.DONE, ShardStatus.PENDING]
    assert list(jobs.pending(made.id)) == [one.name for one in shards(33)[1:]]


def test_shards_of_another_plan_are_refused(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(3))
    with pytest.raises(Conflict, match=r"shard 00002: got \[20, 25\), expected \[20, 30\)"):
        jobs.add_shards(made, [*shards(2), Shard("00002", 20, 25)])


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
    jobs.add_shards(job(), shards(12))
    assert not refused[0]
    assert [one.name for one in jobs.shards(job().id)] == [one.name for one in shards(12)]


def test_job_is_done_without_pending_shards(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(3))
    for shard in shards(3):
        assert not jobs.is_done(made.id)
        jobs.finish_shard(made, shard, done(shard), [])
    assert jobs.is_done(made.id)


def test_job_is_not_done_before_all_shards_are_stored(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(2)[:1])
    at_once([lambda: jobs.start(made.id, True, run=1)] * 4)
    started = jobs.get(made.id)
    assert (started.status, started.revision) == (JobStatus.RUNNING, 2) and jobs.is_unplanned(made.id)
    jobs.finish_shard(made, shards(1)[0], done(shards(1)[0]), [])
    assert list(jobs.pending(made.id)) == [] and not jobs.is_done(made.id)
    jobs.add_shards(made, shards(2))
    for _ in range(2):
        jobs.end_planning(made.id)
    assert not jobs.is_unplanned(made.id) and list(jobs.pending(made.id)) == ["00001"]
    jobs.finish_shard(made, shards(2)[1], done(shards(2)[1]), [])
    assert jobs.is_done(made.id)


def test_deliveries_agree_on_the_end_of_a_part(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(1))
    agreed: list[int | None] = []
    (one,) = shards(1)
    at_once([lambda end=end: agreed.append(jobs.agree(made, one, end).agreed_end) for end in range(2, 10)])
    assert len(agreed) == 8
    assert len(set(agreed)) == 1


def test_shard_is_finished_once(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(2))
    first = shards(1)[0]
    rest = [first.piece(0, 4, 7), first.piece(1, 7, 10)]
    ended = done(first, agreed_end=4, rest=tuple(one.name for one in rest))
    finished: list[Shard] = []
    at_once([lambda: finished.append(jobs.finish_shard(made, first, ended, rest))] * 6)
    assert len(finished) == 6
    assert {(one.rest, one.status) for one in finished} == {(("00000_00", "00000_01"), ShardStatus.DONE)}
    names = [one.name for one in jobs.shards(made.id)]
    assert names == ["00000", "00000_00", "00000_01", "00001"]
    assert list(jobs.pending(made.id)) == names[1:]


def test_done_shard_never_fails(jobs: Jobs) -> None:
    made = jobs.create(job())
    jobs.add_shards(made, shards(2))
    jobs.finish_shard(made, shards(1)[0], done(shards(1)[0]), [])
    for name in ("00000", "00001"):
        jobs.set_shard_status(made, name, ShardStatus.FAILED, "poisoned")
    assert [(one.status, one.reason) for one in jobs.shards(made.id)] == [
        (ShardStatus.DONE, None),
        (ShardStatus.FAILED, "poisoned"),
    ]
    assert not jobs.is_done(made.id)


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
    jobs.add_shards(made, [first, second])
    rest = [first.piece(0, 4, 7), first.piece(1, 7, 10)]
    ended = done(first, agreed_end=4, rows=4, errors=3, rest=tuple(one.name for one in rest))
    at_once([lambda: jobs.finish_shard(made, first, ended, rest)] * 6)
    for _ in range(2):
        jobs.set_shard_status(made, second.name, ShardStatus.FAILED, "poisoned")
    tally = jobs.tally(made.id)
    assert (tally.done, tally.failed, tally.split) == (1, 1, 2)
    assert (tally.rows, tally.errors, tally.width) == (4, 3, 4)
    assert tally.updated_at == jobs.shard(made.id, first.name).updated_at
    failed = jobs.shard(made.id, second.name)
    jobs.finish_shard(made, failed, done(failed), [])
    tally = jobs.tally(made.id)
    assert (tally.done, tally.failed, tally.rows, tally.width) == (2, 0, 14, 14)


def test_concurrent_ends_lose_no_count(jobs: Jobs) -> None:
    made, some = jobs.create(job()), shards(40)
    jobs.add_shards(made, some)
    at_once([lambda shard=shard: jobs.finish_shard(made, shard, done(shard, errors=1), []) for shard in some])
    tally = jobs.tally(made.id)
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
        jobs.add_shards(made, some)
        for shard in some[: count - 1]:
            jobs.finish_shard(made, shard, done(shard, errors=2), [])
        with meter.measured() as progress:
            jobs.get(made.id), jobs.tally(made.id)
        with meter.measured() as checked:
            assert ends.check_errors(made) == made
        with meter.measured() as ended:
            jobs.finish_shard(made, some[-1], done(some[-1]), [])
        costs.append((progress, checked, ended))
    for few, many in zip(*costs, strict=True):
        assert (few.operations, few.units) == (many.operations, many.units)
    progress, checked, ended = costs[1]
    assert progress.operations == ["GetItem", "Query"] and checked.operations == ["Query"]
    assert ended.operations == ["TransactWriteItems"]
    assert progress.units <= 3 and checked.units <= 1


# ---------------------------------------------------------------- open jobs and their retention


def test_open_jobs_until_their_end(jobs: Jobs) -> None:
    for number in range(4):
        jobs.create(job(number))
    jobs.create(job(4, status=JobStatus.FAILED))
    jobs.move(job(1).id, JobStatus.RUNNING, [JobStatus.PLANNING])
    for _ in range(2):
        jobs.move(job(1).id, JobStatus.SUCCEEDED, [JobStatus.RUNNING])
        jobs.cancel(job(2).id)
    assert [one.id for one in jobs.open("2027")] == [job(0).id, job(3).id]
    assert [one.id for one in jobs.open(job(3).created_at)] == [job(0).id]
    jobs.move(job(4).id, JobStatus.PLANNING, [JobStatus.FAILED])
    assert [one.id for one in jobs.open("2027")] == [job(0).id, job(3).id, job(4).id]


def test_prolonged_job_keeps_all_its_rows(jobs: Jobs, table: Table) -> None:
    made = jobs.create(job(1))
    first, second = shards(2)
    jobs.add_shards(made, [first, second])
    jobs.finish_shard(made, first, done(first), [])
    later = made.expires_at + 1000
    asked = jobs.change(made.id, lambda found: replace(found, keep_until=later))
    assert jobs.prolong(asked).expires_at == later == jobs.prolong(asked).expires_at
    rest = second.piece(0, 14, 20)  # by a worker that read the job and the shard before
    jobs.finish_shard(made, second, done(second, agreed_end=14, rest=(rest.name,)), [rest])
    jobs.set_shard_status(made, rest.name, ShardStatus.FAILED, "poisoned")
    partition = table.query(f"J#{made.id}", "", limit=100)[0]
    indexes = [table.query(pk, "", limit=10)[0][0] for pk in ("JOBS", "JOBS_OPEN", "OUTPUTS")]
    assert {item["expires_at"] for item in [*partition, *indexes]} == {later}
