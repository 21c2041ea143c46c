"""How jobs end: complete, with their own parts, announced, in their current run, within the time limit."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from maas import bootstrap
from maas.aws.clients import client
from maas.aws.sqs import Queue
from maas.batch import worker
from maas.batch.formats import Chunk
from maas.batch.job_end import missing
from maas.batch.planner import Arrived
from maas.batch.state.job_records import JobStatus, Shard, ShardStatus
from maas.batch.state.output_folders import OUTPUTS
from maas.errors import ServiceUnavailable
from support.batch import seeds
from support.batch.runs import ROWS, Runs

FOLDER = "batch/output/daily/"


# ---------------------------------------------------------------- parts of other jobs


@pytest.mark.full
def test_part_of_an_expired_job_is_refused(runs: Runs) -> None:
    first = runs.work(runs.job(output=FOLDER))
    assert first.status is JobStatus.SUCCEEDED
    part = runs.read(f"{FOLDER}part-00000.jsonl")
    runs.table.delete([*runs.table.keys(f"J#{first.id}", "", limit=100), (OUTPUTS, FOLDER)])
    second = runs.work(runs.job(ROWS.replace(b"2, 3", b"7, 9"), output=FOLDER))
    expected = f"output: the folder {FOLDER} holds 'part-00000.jsonl' of another job; name another folder"
    assert (second.status, second.reason) == (JobStatus.FAILED, expected)
    assert runs.read(f"{FOLDER}part-00000.jsonl") == part


@pytest.mark.full
def test_part_of_an_earlier_job_of_the_same_id_is_refused(runs: Runs) -> None:
    job = runs.job()
    runs.put(f"{job.output}part-00000.jsonl", b"{}", **{"maas-job": f"{job.id}/2020-01-31T12:00:00.000000Z"})
    assert "of another job" in (runs.work(job).reason or "")


@pytest.mark.full
def test_part_of_an_earlier_delivery_is_kept(runs: Runs) -> None:
    job = runs.job()
    runs.put(f"{job.output}part-00000.jsonl", b"{}", **{"maas-job": job.mark})
    assert runs.work(job).status is JobStatus.SUCCEEDED
    assert runs.jobs.shards.get(job.id, "00000").parts[0].size_bytes == 2


@pytest.mark.full
def test_header_length_of_the_first_answer(runs: Runs) -> None:
    job = runs.deferred()
    runs.put(f"{job.output}response", b"{} 1234", **{"maas-job": job.mark, "maas-header-length": "3"})
    done = runs.work(job, "")
    assert (done.status, done.options["response_header_length"]) == (JobStatus.SUCCEEDED, 3)


@pytest.mark.full
def test_answer_of_another_job_is_refused(runs: Runs) -> None:
    job = runs.deferred()
    runs.put(f"{job.output}response", b"{}")
    done = runs.work(job, "")
    assert (done.status, "'response' of another job" in (done.reason or "")) == (JobStatus.FAILED, True)


# ---------------------------------------------------------------- missing shards


@pytest.mark.full
def test_job_with_a_missing_shard_fails(runs: Runs) -> None:
    job = runs.job()
    lost = runs.jobs.shards.get(job.id, "00001")
    runs.table.delete([(f"J#{job.id}", f"{kind}#00001") for kind in "SP"])
    ended = runs.work(job)
    assert ended.status is JobStatus.FAILED
    assert ended.reason == f"shards are missing: no shard covers [{lost.start}, {lost.end})"
    assert all("_SUCCESS" not in one for one in runs.worker.output.bucket.sizes(job.output, 100))


@pytest.mark.full
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([(0, 10), (10, 20)], None),
        ([(0, 4), (4, 10), (10, 20)], None),
        ([(10, 20)], "no shard covers [0, 10)"),
        ([(0, 10)], "no shard covers [10, 20)"),
        ([], "no shard covers [0, 20)"),
    ],
)
def test_missing_ranges(given: list[tuple[int, int]], expected: str | None, runs: Runs) -> None:
    job = replace(runs.job(), planned=[0, 20])
    shards = [Shard("", start, 20, ShardStatus.DONE, agreed_end=end) for start, end in given]
    assert missing(job, shards) == expected


@pytest.mark.full
def test_next_delivery_announces_an_unannounced_end(runs: Runs) -> None:
    job = runs.job()
    runs.jobs.move(job.id, JobStatus.FAILED, [JobStatus.RUNNING], reason="its worker died right after this")
    assert runs.work(job).announced == JobStatus.FAILED


# ---------------------------------------------------------------- dead letters


@pytest.mark.full
def test_dead_letter_of_a_done_shard_queues_its_rest(runs: Runs) -> None:
    job = runs.job(ROWS * 2, batch_size=1)
    sqs = client("sqs", runs.cloud.settings.region, runs.cloud.settings.endpoint_url)
    nowhere = Queue(sqs, runs.cloud.settings.queue_url + "-gone")
    with pytest.raises(ServiceUnavailable):
        replace(runs.worker, queue=nowhere).work(job.id, "00000", time.monotonic())
    shard = runs.jobs.shards.get(job.id, "00000")
    assert (shard.status, shard.rest != ()) == (ShardStatus.DONE, True)
    with pytest.raises(ServiceUnavailable):
        replace(runs.planner, queue=nowhere).give_up(job.id, "00000", job.run)
    sqs.purge_queue(QueueUrl=runs.cloud.settings.queue_url)
    assert runs.planner.give_up(job.id, "00000", job.run)
    queued = sqs.receive_message(QueueUrl=runs.cloud.settings.queue_url, MaxNumberOfMessages=10)["Messages"]
    assert {json.loads(one["Body"])["shard"] for one in queued} == set(shard.rest)
    assert runs.work(job).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_dead_letter_of_the_last_done_shard_ends_its_job(runs: Runs) -> None:
    job = runs.job(ROWS[:17])
    shard = runs.jobs.shards.get(job.id, "00000")
    runs.jobs.shards.finish(job, shard, replace(shard, status=ShardStatus.DONE, agreed_end=shard.end), [])
    assert runs.planner.give_up(job.id, "00000", job.run)
    assert runs.jobs.get(job.id).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_dead_letter_of_an_earlier_run_changes_nothing(runs: Runs) -> None:
    first = runs.job()
    assert runs.planner.give_up(first.id, "00000", first.run)
    retried = runs.submission.retry(first.id)
    assert retried.status is JobStatus.PLANNING
    assert runs.planner.give_up(first.id, "00001", first.run) == retried
    second = runs.started(retried)
    assert (second.status, second.run) == (JobStatus.RUNNING, first.run + 1)
    assert runs.planner.give_up(first.id, "00001", first.run) == second
    assert runs.jobs.shards.get(first.id, "00001").status is ShardStatus.PENDING
    assert runs.work(second).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_retry_of_a_drop_resolves_its_alias_again(runs: Runs) -> None:
    key = "batch/input/example/late/rows.jsonl"
    runs.put(key, ROWS)
    job = runs.planner.arrived(Arrived(key, None, len(ROWS), ""))
    assert job and (job.status, job.version) == (JobStatus.FAILED, 0)
    bootstrap.registry(runs.cloud.settings).aliases.set("example", "late", 1, "tester")
    started = runs.started(runs.submission.retry(job.id))
    assert (started.status, started.version, started.reason) == (JobStatus.RUNNING, 1, None)
    assert runs.work(started).status is JobStatus.SUCCEEDED


# ---------------------------------------------------------------- time limit


@pytest.fixture
def attempt(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], int | None]:
    def run(seconds: float) -> int | None:
        """Where a first attempt ends that may take 540 of 900 s: 12 row groups of 40 records, `seconds` to read each.

        Nothing but a wait for records moves the clock, and the worker itself waits: threads that read ahead would
        move it while the worker works on earlier records, or not, by which of them has its turn.
        """
        passed = 0.0

        def waited_for(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
            nonlocal passed
            for chunk in chunks:
                passed += seconds
                yield chunk

        key, content = "batch/input/example/1/slow.parquet", seeds.parquet(480)
        runs.put(key, content)
        job = replace(runs.planner, shard_bytes=1 << 20).arrived(Arrived(key, None, len(content), ""))
        assert job
        monkeypatch.setattr(worker, "one_ahead", waited_for)
        monkeypatch.setattr(time, "monotonic", lambda: passed)
        runs.worker.work(job.id, "00000", 900.0)
        return runs.jobs.shards.get(job.id, "00000").agreed_end

    return run


@pytest.mark.full
def test_first_attempt_ends_early(attempt: Callable[[float], int | None]) -> None:
    """It goes on while two row groups as slow as the slowest fit: from 420 s to 504, but not from 462 to 546."""
    assert attempt(42) == 11 * 40


@pytest.mark.full
def test_first_attempt_does_all_that_fits(attempt: Callable[[float], int | None]) -> None:
    assert attempt(41.5) == 12 * 40  # after 11 row groups, 456.5 s, two more end at 539.5


@pytest.mark.full
def test_reading_time_counts_in_the_time_limit(attempt: Callable[[float], int | None]) -> None:
    assert attempt(200) == 40  # two more row groups would end at 600 s
