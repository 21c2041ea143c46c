"""What is lost on the way stops no job and no version: `retry`, `complete` and the daily schedule start them again."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import LoadFunction
from maas import bootstrap
from maas.aws.clients import client
from maas.batch import locations
from maas.batch.planner import Arrived
from maas.batch.state.job_records import BatchJob, JobRequest, JobStatus
from maas.errors import Conflict
from maas.records import ModelFile, Status
from support import onnx_models
from support.batch.runs import ROWS, Runs
from support.events import EventCase

REVIVE = EventCase("maintenance_revive", None, {}).event
PURGE = EventCase("maintenance_purge", None, {}).event


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def lose_messages(runs: Runs) -> None:
    settings = runs.cloud.settings
    client("sqs", settings.region, settings.endpoint_url).purge_queue(QueueUrl=settings.queue_url)


def queued(runs: Runs) -> set[str]:
    """Names of the shards whose messages the queue holds; takes them."""
    settings, found = runs.cloud.settings, []
    sqs = client("sqs", settings.region, settings.endpoint_url)
    while messages := sqs.receive_message(QueueUrl=settings.queue_url, MaxNumberOfMessages=10).get("Messages"):
        found += [one["Body"] for one in messages]
    return {one.split('"shard": "')[1].split('"')[0] for one in found}


def is_started(runs: Runs, job: BatchJob) -> bool:
    """Whether the object that wakes the planner was written after the job changed last."""
    head = runs.cloud.s3.list_objects_v2(Bucket=runs.cloud.settings.bucket, Prefix=f"batch/jobs/{job.id}/start")
    return bool(head.get("Contents"))


@pytest.mark.full
def test_retry_queues_pending_shards_of_a_running_job(runs: Runs) -> None:
    job = runs.job()
    names = list(runs.jobs.shards.pending(job.id))
    lose_messages(runs)
    runs.work(job, names[0])
    retried = runs.submission.retry(job.id)
    assert (retried.status, retried.run) == (JobStatus.RUNNING, job.run)
    assert runs.started(retried).expires_at >= job.expires_at
    assert queued(runs) == set(names[1:])
    assert runs.work(job).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_retry_ends_a_job_whose_last_worker_died(runs: Runs) -> None:
    job = runs.job()
    for name in list(runs.jobs.shards.pending(job.id)):
        shard = runs.jobs.shards.get(job.id, name)
        runs.worker._done(job, shard, time.monotonic() + 600, 1)  # and dies before it looks whether that was the last
    assert runs.jobs.get(job.id).status is JobStatus.RUNNING
    assert runs.started(runs.submission.retry(job.id)).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_retry_of_an_upload_whose_event_is_lost(runs: Runs) -> None:
    upload = ModelFile("rows.jsonl", len(ROWS), "0" * 64)
    job, _ = runs.submission.create(runs.version, JobRequest(upload=upload), "tester", None)
    with pytest.raises(Conflict, match="is not complete"):
        runs.submission.retry(job.id)
    runs.put(job.input_key, ROWS)
    retried = runs.submission.retry(job.id)
    assert retried.status is JobStatus.PLANNING and retried.input_s3_version
    assert runs.work(runs.started(retried)).status is JobStatus.SUCCEEDED


@pytest.mark.full
@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.CANCELLED])
def test_retry_of_an_ended_job_is_refused(runs: Runs, status: JobStatus) -> None:
    job = runs.job()
    runs.jobs.move(job.id, status, [JobStatus.RUNNING])
    with pytest.raises(Conflict, match=f"is {status}: there is nothing to try again"):
        runs.submission.retry(job.id)


@pytest.mark.full
def test_retry_prolongs_the_retention(runs: Runs) -> None:
    job = runs.job()
    runs.planner.give_up(job.id, "00000", job.run)
    before = runs.jobs.get(job.id).expires_at
    time.sleep(1.1)  # retention counts in seconds
    started = runs.started(runs.submission.retry(job.id))
    assert started.expires_at > before
    rows = runs.table.query(f"J#{job.id}", "", limit=100)[0]
    assert {row["expires_at"] for row in rows} == {started.expires_at}


@pytest.mark.full
def test_daily_schedule_revives_what_is_stuck(
    runs: Runs, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version left VALIDATING; jobs in RUNNING, PLANNING and UPLOADING without their messages and events."""
    registry = bootstrap.registry(runs.cloud.settings)
    stalled = runs.cloud.upload("example", onnx_models.linear(7.0))
    registry.validation.start("example", stalled.number, "deployment")
    running = runs.job()
    planning = runs.submission.create(runs.version, JobRequest(input="batch/data/rows.jsonl"), "tester", None)[0]
    upload = ModelFile("rows.jsonl", len(ROWS), "0" * 64)
    uploading, waiting = (
        runs.submission.create(runs.version, JobRequest(upload=upload), "tester", None)[0] for _ in range(2)
    )
    runs.put(uploading.input_key, ROWS)
    lose_messages(runs)
    function = load_function("MaintenanceFunction")
    assert function.lambda_handler(REVIVE, Context) == {"revived": []}  # none of them is idle for long enough
    monkeypatch.setattr(function, "idle", timedelta(0))
    revived = function.lambda_handler(REVIVE, Context)["revived"]
    assert {f"job {one.id}" for one in (running, planning, uploading)} < set(revived)
    assert f"job {waiting.id}" not in revived
    assert revived[0] == f"example@{stalled.number}"
    assert bootstrap.deployment(runs.cloud.settings).deploy("example", stalled.number).status is Status.READY
    for job in (running, planning, uploading):
        assert is_started(runs, job)
        assert runs.work(runs.started(job)).status is JobStatus.SUCCEEDED
    assert runs.jobs.get(waiting.id).status is JobStatus.UPLOADING


@pytest.mark.full
def test_hourly_schedule_cleans_up_abandoned_uploads(
    runs: Runs, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, s3 = runs.cloud.settings.bucket, runs.cloud.s3
    monkeypatch.setenv("MAAS_UPLOAD_RETENTION_DAYS", "0")
    function = load_function("MaintenanceFunction")
    upload = ModelFile("rows.jsonl", len(ROWS), "0" * 64)
    waiting, _ = runs.submission.create(runs.version, JobRequest(upload=upload), "tester", None)
    assert s3.list_object_versions(Bucket=bucket, Prefix="models/example/2/").get("Versions")
    answer = function.lambda_handler(PURGE, Context)
    assert answer["purged"] == ["example@2"]  # uploaded and never validated; version 1 is READY
    assert not s3.list_object_versions(Bucket=bucket, Prefix="models/example/2/").get("Versions")
    assert bootstrap.registry(runs.cloud.settings).models.get("example").kept_versions == 1
    monkeypatch.setattr(function, "idle", timedelta(0))
    function.lambda_handler(REVIVE, Context)
    ended = runs.jobs.get(waiting.id)
    assert (ended.status, ended.reason) == (JobStatus.FAILED, f"the upload of job '{waiting.id}' is not complete")


@pytest.mark.full
def test_jobs_with_progress_are_left_alone(runs: Runs) -> None:
    job = runs.job()
    between = datetime.now(UTC)
    runs.work(job, "00000")
    assert job.id not in list(runs.submission.wake_stuck(between, between, time.monotonic() + 60))
    assert job.id in list(runs.submission.wake_stuck(datetime.now(UTC), between, time.monotonic() + 60))


@pytest.mark.full
def test_version_without_files_does_not_stop_the_sweep(
    runs: Runs, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    function: Any = load_function("MaintenanceFunction")
    monkeypatch.setattr(function, "idle", timedelta(0))
    stalled = runs.cloud.upload("example", onnx_models.linear(7.0))
    bootstrap.registry(runs.cloud.settings).validation.start("example", stalled.number, "deployment")
    job = runs.job()
    runs.cloud.s3.delete_object(Bucket=runs.cloud.settings.bucket, Key="models/example/3/source/model.onnx")
    assert f"job {job.id}" in function.lambda_handler(REVIVE, Context)["revived"]


@pytest.mark.full
def test_failure_does_not_stop_the_sweep(
    runs: Runs, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a job whose row this release cannot read any more."""
    function: Any = load_function("MaintenanceFunction")
    monkeypatch.setattr(function, "idle", timedelta(0))
    broken, job = runs.job(), runs.job()
    runs.table.replace({(f"J#{broken.id}", "C#00"): {"rows": "a text"}})
    with pytest.raises(ExceptionGroup, match="not all") as caught:
        function.lambda_handler(REVIVE, Context)
    assert str(caught.value.exceptions[0]).startswith(f"jobs not woken: {broken.id} ")
    assert is_started(runs, job)


@pytest.mark.full
def test_dropped_file_is_planned_again_by_the_schedule(runs: Runs) -> None:
    """The planner died after it had created the job."""
    key = "batch/input/example/1/late.jsonl"
    runs.put(key, ROWS)
    job = runs.planner._dropped(Arrived(key, None, len(ROWS), ""), locations.drop_of(key))
    assert job.status is JobStatus.PLANNING
    assert job.id in list(runs.submission.wake_stuck(datetime.now(UTC), datetime.now(UTC), time.monotonic() + 60))
    assert runs.work(runs.started(job)).status is JobStatus.SUCCEEDED
