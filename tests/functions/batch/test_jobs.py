"""The handlers of planner and worker: what they write to the bucket, and what fails."""

import json
from typing import Any

import pytest

from conftest import LoadFunction
from maas import bootstrap
from maas.batch.state.job_records import BatchJob, JobStatus
from support.aws.engine import Cloud
from support.events import EVENTS, PLANNED


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def planned(cloud: Cloud) -> BatchJob:
    jobs, _ = bootstrap.jobs(cloud.settings).page(10, None)
    return next(job for job in jobs if job.input_key == PLANNED)


def read(cloud: Cloud, key: str) -> bytes:
    body: bytes = cloud.s3.get_object(Bucket=cloud.settings.bucket, Key=key)["Body"].read()
    return body


def test_last_shard_ends_the_job(seeded: Cloud, load_function: LoadFunction) -> None:
    handler = load_function("WorkerFunction").lambda_handler
    for _ in range(2):  # the second delivery changes nothing
        assert handler(event("worker_shard"), Context) == {"batchItemFailures": []}
        job = planned(seeded)
        assert (job.status, job.reason) == (JobStatus.SUCCEEDED, None)
        first, bad, last = (json.loads(one) for one in read(seeded, f"{job.output}part-00000.jsonl").splitlines())
        assert (first, last) == ({"y": [6.0, 6.0]}, {"y": [15.0, 15.0]})
        assert bad["record"] == {"x": "bad"}
        manifest = json.loads(read(seeded, f"{job.output}manifest.json"))
        assert (manifest["rows"], manifest["errors"]) == (3, 1)


@pytest.mark.full
def test_malformed_message_is_returned_alone(seeded: Cloud, load_function: LoadFunction) -> None:
    malformed = event("worker_malformed")
    answer = load_function("WorkerFunction").lambda_handler(malformed, Context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": malformed["Records"][0]["messageId"]}]}
    assert planned(seeded).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_retry_after_a_dead_shard(seeded: Cloud, load_function: LoadFunction) -> None:
    for _ in range(2):
        assert load_function("PlannerFunction").lambda_handler(event("planner_given_up"), Context) == {
            "batchItemFailures": []
        }
    job = planned(seeded)
    assert job.status is JobStatus.FAILED
    assert (
        job.reason == "shard 00000 failed at every attempt: no attempt finished: the worker ran out of memory or time"
    )
    load_function("WorkerFunction").lambda_handler(event("worker_shard"), Context)
    assert planned(seeded) == job  # a late delivery: the job is FAILED
    bootstrap.submission(seeded.settings).retry(job.id)
    assert planned(seeded).status is JobStatus.PLANNING
    start = event("planner_drop")
    start["detail"]["object"] |= {"key": f"batch/jobs/{job.id}/start", "size": 2}
    assert load_function("PlannerFunction").lambda_handler(start, Context)["status"] == "RUNNING"
    load_function("WorkerFunction").lambda_handler(event("worker_shard"), Context)
    assert planned(seeded).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_deleted_version_fails_the_job_until_it_is_restored(seeded: Cloud, load_function: LoadFunction) -> None:
    """A job protects no version from deletion."""
    versions, worker = bootstrap.registry(seeded.settings).versions, load_function("WorkerFunction")
    versions.delete("example", 1, "tester")
    worker.lambda_handler(event("worker_shard"), Context)
    job = planned(seeded)
    assert (job.status, "was deleted" in (job.reason or "")) == (JobStatus.FAILED, True)
    versions.restore("example", 1, "tester")
    bootstrap.submission(seeded.settings).retry(job.id)
    start = event("planner_drop")
    start["detail"]["object"] |= {"key": f"batch/jobs/{job.id}/start", "size": 2}
    load_function("PlannerFunction").lambda_handler(start, Context)
    load_function("WorkerFunction").lambda_handler(event("worker_shard"), Context)
    assert planned(seeded).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_cancelled_job_predicts_nothing(seeded: Cloud, load_function: LoadFunction) -> None:
    job = bootstrap.submission(seeded.settings).cancel(planned(seeded).id)
    assert load_function("WorkerFunction").lambda_handler(event("worker_shard"), Context) == {"batchItemFailures": []}
    assert planned(seeded).status is job.status is JobStatus.CANCELLED
    found = seeded.s3.list_objects_v2(Bucket=seeded.settings.bucket, Prefix=job.output)
    assert "Contents" not in found


@pytest.mark.full
def test_start_of_an_unknown_job_is_ignored(seeded: Cloud, load_function: LoadFunction) -> None:
    start = event("planner_drop")
    start["detail"]["object"]["key"] = "batch/jobs/0123/start"
    assert load_function("PlannerFunction").lambda_handler(start, Context) == {"ignored": "batch/jobs/0123/start"}
