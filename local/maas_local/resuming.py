"""Goes on with what was in flight when the stack ended, however it ended.

Queues are not kept. What they held follows from what is stored: the commit mark of a version that is not decided, a job
that has not ended, an object that no job or version came from. Their events are sent again; what they start may be
repeated.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from maas.aws.dynamodb import CallFailed, Table, boto3_call
from maas.batch import locations
from maas.batch.planner import Arrived, job_id_of
from maas.batch.state.job_records import ENDED, BatchJob, JobStatus
from maas.batch.state.jobs import Jobs
from maas.deployment import inbox
from maas.deployment.artifacts import commit_mark_key
from maas.deployment.inbox_export import RESULT_SUFFIX
from maas.errors import MaasError, NotFound
from maas.names import is_model_file
from maas.records import Status
from maas.registry import Registry
from maas_local.cloud import LocalCloud
from maas_local.resources import NAME
from maas_local.template import Template

PAGE = 100
T = TypeVar("T")
_UNDECIDED = (Status.PENDING_UPLOAD, Status.VALIDATING)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An object; `modified` is when it was written."""

    arrived: Arrived
    modified: datetime


def resume(cloud: LocalCloud, template: Template) -> None:
    """Send the events again; a failure is logged, and the next start tries again."""
    table = Table(boto3_call(cloud.client("dynamodb")), NAME)
    s3, events = cloud.client("s3"), cloud.client("events")
    days = float(template.functions()["PlannerFunction"].environment["MAAS_JOB_RETENTION_DAYS"])
    try:
        for found in (_marks(s3, Registry(table)), _jobs(s3, Jobs(table)), _drops(s3, Jobs(table), days), _inbox(s3)):
            for arrived in found:
                _log.info("resumed: %s", arrived.key)
                events.put_events(Entries=[_event(arrived)])
    except (BotoCoreError, ClientError, CallFailed, MaasError) as error:
        _log.warning("not all that was in flight is resumed: %s", error)


def _marks(s3: Any, registry: Registry) -> Iterator[Arrived]:
    """Commit marks of versions that are neither READY nor FAILED."""
    for model in _pages(partial(registry.models.page, PAGE)):
        for version in _pages(partial(registry.versions.page, model.name, PAGE)):
            if version.status in _UNDECIDED and (mark := _head(s3, commit_mark_key(model.name, version.number))):
                yield mark


def _jobs(s3: Any, jobs: Jobs) -> Iterator[Arrived]:
    """The start signal of each job that has not ended; the input of one that waits for its upload."""
    for job in _pages(partial(jobs.page, PAGE)):
        if job.status is JobStatus.UPLOADING:
            if uploaded := _head(s3, job.input_key):
                yield uploaded
        elif job.status not in ENDED or job.announced != job.status:
            yield _start_of(job)


def _start_of(job: BatchJob) -> Arrived:
    return Arrived(f"{locations.UPLOADS}{job.id}/{locations.START}", None, 0, "")


def _drops(s3: Any, jobs: Jobs, retention_days: float) -> Iterator[Arrived]:
    """Objects for which no job was made, as long as one would be kept."""
    since = datetime.now(UTC) - timedelta(days=retention_days)
    for stored in _objects(s3, locations.INPUT):
        if stored.modified > since and locations.drop_of(stored.arrived.key):
            arrived = _head(s3, stored.arrived.key)
            try:
                jobs.get(job_id_of(arrived or stored.arrived))
            except NotFound:
                yield arrived or stored.arrived


def _inbox(s3: Any) -> Iterator[Arrived]:
    """Models of the inbox without a result of their own."""
    found = {stored.arrived.key: stored for stored in _objects(s3, inbox.PREFIX)}
    for key, stored in found.items():
        if is_model_file(key):
            result = found.get(key + RESULT_SUFFIX)
            if result is None or result.modified < stored.modified or not _is_outcome(s3, result.arrived.key):
                yield stored.arrived


def _is_outcome(s3: Any, result_key: str) -> bool:
    """Whether it is a result, and a last one: anybody may write such an object."""
    try:
        result = json.loads(s3.get_object(Bucket=NAME, Key=result_key)["Body"].read())
    except ValueError:
        return False
    return isinstance(result, dict) and result.get("status") != Status.VALIDATING


def _objects(s3: Any, prefix: str) -> Iterator[_Stored]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix=prefix):
        for one in page.get("Contents", []):
            yield _Stored(Arrived(one["Key"], None, one["Size"], one["ETag"].strip('"')), one["LastModified"])


def _head(s3: Any, key: str) -> Arrived | None:
    try:
        found = s3.head_object(Bucket=NAME, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return Arrived(key, found.get("VersionId"), found["ContentLength"], found["ETag"].strip('"'))


def _pages(page: Callable[[str | None], tuple[list[T], str | None]]) -> Iterator[T]:
    after: str | None = None
    while True:
        found, after = page(after)
        yield from found
        if after is None:
            return


def _event(arrived: Arrived) -> dict[str, Any]:
    stored = {"key": arrived.key, "size": arrived.size_bytes, "etag": arrived.etag}
    if arrived.s3_version:
        stored["version-id"] = arrived.s3_version
    detail = {"version": "0", "bucket": {"name": NAME}, "object": stored, "reason": "resumed"}
    return {"Source": "aws.s3", "DetailType": "Object Created", "Detail": json.dumps(detail)}
