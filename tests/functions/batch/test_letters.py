"""Dead letters in the planner's handler: retried, kept while that fails, and in the end their job is FAILED."""

import importlib
import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from conftest import LoadFunction
from maas import bootstrap
from maas.batch.state.job_records import BatchJob, JobStatus, ShardStatus
from support.aws.engine import Cloud
from support.events import EVENTS, PLANNED

DROPPED = "batch/input/example/1/rows.jsonl"
LAST = "6"  # one more than MAX_RECEIVED_EVENT


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def letter(body: object = None, received: str = "1") -> dict[str, Any]:
    """Lambda's record of an event that failed three times, or another body."""
    event: dict[str, Any] = json.loads((EVENTS / "planner_dead_letter.json").read_text())
    (record,) = event["Records"]
    record["attributes"]["ApproximateReceiveCount"] = received
    if body is not None:
        record["body"] = json.dumps(body)
    return event


def arrival(key: str) -> dict[str, Any]:
    """A dead letter of the EventBridge rule."""
    event: dict[str, Any] = json.loads((EVENTS / "planner_drop.json").read_text())
    event["detail"]["object"]["key"] = key
    return event


def job_of(cloud: Cloud, key: str) -> BatchJob | None:
    jobs, _ = bootstrap.jobs(cloud.settings).page(10, None)
    return next((job for job in jobs if job.input_key == key), None)


@pytest.fixture
def broken(seeded: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The handler while SQS refuses messages."""
    load_function("PlannerFunction")
    monkeypatch.setenv("MAAS_QUEUE_URL", seeded.settings.queue_url + "-gone")
    return importlib.reload(sys.modules["planner"])


@pytest.mark.full
@pytest.mark.parametrize("body", [None, arrival(DROPPED)])
def test_dead_event_is_retried(seeded: Cloud, load_function: LoadFunction, body: dict[str, Any] | None) -> None:
    handler = load_function("PlannerFunction").lambda_handler
    assert handler(letter(body), Context) == {"batchItemFailures": []}
    job = job_of(seeded, DROPPED)
    assert job and (job.status, job.reason) == (JobStatus.RUNNING, None)


@pytest.mark.full
def test_dead_event_stays_queued_while_retries_fail(seeded: Cloud, broken: Any) -> None:
    event = letter()
    failed = [{"itemIdentifier": event["Records"][0]["messageId"]}]
    assert broken.lambda_handler(event, Context) == {"batchItemFailures": failed}
    job = job_of(seeded, DROPPED)
    assert job and job.status is JobStatus.RUNNING


@pytest.mark.full
@pytest.mark.parametrize("key", [DROPPED, "batch/input/example/1/never-seen.jsonl"])
def test_dead_event_fails_its_job_in_the_end(seeded: Cloud, broken: Any, key: str) -> None:
    broken.lambda_handler(letter(), Context)
    assert broken.lambda_handler(letter(arrival(key), LAST), Context) == {"batchItemFailures": []}
    job = job_of(seeded, key)
    assert job and job.status is JobStatus.FAILED
    assert (job.reason or "").startswith("could not be planned: ")


@pytest.mark.full
def test_dead_event_of_an_upload_fails_its_job(seeded: Cloud, load_function: LoadFunction) -> None:
    version = bootstrap.registry(seeded.settings).resolve("example", "1")
    waiting = bootstrap.deferred(seeded.settings).submit(version, b"{}", None, "tester")
    handler = load_function("PlannerFunction").lambda_handler
    assert handler(letter(arrival(waiting.input_key), LAST), Context) == {"batchItemFailures": []}
    job = job_of(seeded, waiting.input_key)
    assert job and job.status is JobStatus.FAILED


@pytest.mark.full
@pytest.mark.parametrize("key", ["batch/jobs/0123/start", "batch/input/rows.jsonl"])
@pytest.mark.parametrize("received", ["1", LAST])
def test_dead_event_of_another_object_is_dropped(
    seeded: Cloud, load_function: LoadFunction, key: str, received: str
) -> None:
    handler = load_function("PlannerFunction").lambda_handler
    assert handler(letter(arrival(key), received), Context) == {"batchItemFailures": []}


def test_dead_shard_fails_its_job(seeded: Cloud, load_function: LoadFunction) -> None:
    job = job_of(seeded, PLANNED)
    assert job
    handler = load_function("PlannerFunction").lambda_handler
    assert handler(letter(job.message("00000"), "11"), Context) == {"batchItemFailures": []}
    job = job_of(seeded, PLANNED)
    assert job and (job.status, "shard 00000 failed" in (job.reason or "")) == (JobStatus.FAILED, True)


@pytest.mark.full
def test_dead_shard_that_cannot_be_settled_fails_its_job(seeded: Cloud, broken: Any) -> None:
    jobs, job = bootstrap.jobs(seeded.settings), job_of(seeded, PLANNED)
    assert job
    shard = jobs.shards.get(job.id, "00000")
    rest = shard.piece(0, 20, shard.end)
    done = replace(shard, status=ShardStatus.DONE, agreed_end=20, rest=(rest.name,))
    jobs.shards.finish(job, shard, done, [rest])
    event = letter(job.message("00000"), "15")
    failed = [{"itemIdentifier": event["Records"][0]["messageId"]}]
    assert broken.lambda_handler(event, Context) == {"batchItemFailures": failed}
    assert jobs.get(job.id).status is JobStatus.RUNNING
    assert broken.lambda_handler(letter(job.message("00000"), "16"), Context) == {"batchItemFailures": []}
    assert jobs.get(job.id).status is JobStatus.FAILED
