"""Jobs on moto and DynamoDB Local: repeated, late and concurrent changes have no effect."""

import io
from dataclasses import replace
from typing import Any

import pytest
from arro3 import core
from arro3.io import write_parquet

from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.batch import formats
from maas.batch.state.job_records import BatchJob, JobStatus, ShardStatus
from maas.batch.state.jobs import Jobs
from maas.errors import Conflict, NotFound
from support.batch.files import MemorySource
from support.batch.made_jobs import at_once, done, job, shards


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
    assert jobs.page(10, None) == ([], None)
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


@pytest.mark.full
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


def test_change_of_a_job_that_changed_since_it_was_read(jobs: Jobs) -> None:
    read = jobs.create(job())
    running = jobs.move(read, JobStatus.RUNNING, [JobStatus.PLANNING])
    assert jobs.move(read, JobStatus.CANCELLED, [JobStatus.PLANNING]) == running == jobs.get(read.id)
    assert jobs.move(read, JobStatus.CANCELLED, [JobStatus.PLANNING, JobStatus.RUNNING]).revision == 3


def test_job_and_shard_in_one_read(jobs: Jobs) -> None:
    made = jobs.create(job())
    assert jobs.job_and_shard(made.id, "00000") == (made, None)
    jobs.shards.add(made, shards(1))
    assert jobs.job_and_shard(made.id, "00000") == (made, jobs.shards.get(made.id, "00000"))
    jobs.create(job(1, expires_at=1))
    for gone in (job(1).id, job(2).id):
        with pytest.raises(NotFound):
            jobs.job_and_shard(gone, "00000")


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


@pytest.mark.full
def test_prolonged_job_keeps_all_its_rows(jobs: Jobs, table: Table) -> None:
    made = jobs.create(job(1))
    first, second = shards(2)
    jobs.shards.add(made, [first, second])
    jobs.shards.finish(made, first, done(first), [])
    later = made.expires_at + 1000
    asked = jobs.change(made.id, lambda found: replace(found, keep_until=later))
    assert jobs.prolong(asked).expires_at == later == jobs.prolong(asked).expires_at
    rest = second.piece(0, 14, 20)  # by a worker that read the job and the shard before
    jobs.shards.finish(made, second, done(second, agreed_end=14, rest=(rest.name,)), [rest])
    jobs.shards.set_status(made, rest.name, ShardStatus.FAILED, "poisoned")
    partition = table.query(f"J#{made.id}", "", limit=100)[0]
    indexes = [table.query(pk, "", limit=10)[0][0] for pk in ("JOBS", "JOBS_OPEN", "OUTPUTS")]
    assert {item["expires_at"] for item in [*partition, *indexes]} == {later}
