"""A job of many shards: the first ones run while the others are stored, whatever happens to the planner."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from maas.aws.sqs import Queue
from maas.batch.state.job_records import BatchJob, JobRequest, JobStatus
from maas.errors import ServiceUnavailable
from support.batch.runs import Runs

SHARDS = 17
ROWS = b"".join(b'{"x": [%02d, 2, 3]}\n' % number for number in range(SHARDS))  # one a shard


class WatchedQueue(Queue):
    """A queue that calls `watch` with the number of a call and its messages, before it sends them."""

    watch: Callable[[int, list[Mapping[str, Any]]], None] = staticmethod(lambda _, __: None)
    calls = 0

    def send(self, messages: Iterable[Mapping[str, Any]]) -> None:
        listed = list(messages)
        self.calls += 1
        self.watch(self.calls, listed)
        super().send(listed)


@pytest.fixture
def queue(runs: Runs) -> WatchedQueue:
    return WatchedQueue(runs.planner.queue._sqs, runs.cloud.settings.queue_url)


@pytest.fixture
def job(runs: Runs, queue: WatchedQueue) -> BatchJob:
    """Its start is not yet planned."""
    runs.planner = replace(runs.planner, queue=queue, shards_at_once=5)
    runs.put("batch/data/many.jsonl", ROWS)
    submission = replace(runs.submission, shard_bytes=len(ROWS) // SHARDS)
    return submission.create(runs.version, JobRequest(input="batch/data/many.jsonl"), "tester", None)[0]


@pytest.mark.full
def test_first_shards_run_while_others_are_stored(runs: Runs, queue: WatchedQueue, job: BatchJob) -> None:
    stored: list[int] = []

    def watch(number: int, messages: list[Mapping[str, Any]]) -> None:
        current = runs.jobs.get(job.id)
        assert (current.status, current.shards) == (JobStatus.RUNNING, SHARDS)
        stored.append(len(list(runs.jobs.shards.all(job.id))))
        assert runs.work(job, *(one["shard"] for one in messages)).status is JobStatus.RUNNING

    queue.watch = watch
    assert runs.started(job).status is JobStatus.SUCCEEDED
    assert stored == [5, 10, 15, 17]
    assert (
        sum(len(runs.read(part.key).splitlines()) for one in runs.jobs.shards.all(job.id) for part in one.parts)
        == SHARDS
    )


@pytest.mark.full
@pytest.mark.parametrize("dies_at", [1, 2, 4])
def test_planner_that_died_is_continued(runs: Runs, queue: WatchedQueue, job: BatchJob, dies_at: int) -> None:
    def watch(number: int, _: list[Mapping[str, Any]]) -> None:
        if number == dies_at:
            raise ServiceUnavailable("SQS")

    queue.watch = watch
    with pytest.raises(ServiceUnavailable):
        runs.started(job)
    assert runs.work(job).status is JobStatus.RUNNING  # what is stored; the others are to come
    assert runs.started(job).status is (JobStatus.RUNNING if dies_at < 4 else JobStatus.SUCCEEDED)
    assert [one.name for one in runs.jobs.shards.all(job.id)] == [f"{index:05d}" for index in range(SHARDS)]
    assert runs.work(job).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_job_that_fails_while_it_is_planned_is_retried(runs: Runs, queue: WatchedQueue, job: BatchJob) -> None:
    def watch(number: int, _: list[Mapping[str, Any]]) -> None:
        if number == 2:
            runs.planner.give_up(job.id, "00000", runs.jobs.get(job.id).run)

    queue.watch = watch
    assert runs.started(job).status is JobStatus.FAILED
    assert len(list(runs.jobs.shards.all(job.id))) == 10
    retried = runs.started(runs.submission.retry(job.id))
    assert (retried.status, retried.run) == (JobStatus.RUNNING, 2)
    assert (runs.jobs.shards.tally(job.id).failed, len(list(runs.jobs.shards.pending(job.id)))) == (0, SHARDS)
    assert runs.work(job).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_planning_stops_when_the_job_is_cancelled(runs: Runs, queue: WatchedQueue, job: BatchJob) -> None:
    def watch(number: int, _: list[Mapping[str, Any]]) -> None:
        if number == 2:
            runs.jobs.cancel(job.id)

    queue.watch = watch
    assert runs.started(job).status is JobStatus.CANCELLED
    assert len(list(runs.jobs.shards.all(job.id))) == 10
