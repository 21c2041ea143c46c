"""Plans jobs on events of S3 (through EventBridge), and handles two dead-letter queues of SQS: shards and events."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from maas import bootstrap
from maas.batch.planner import Arrived
from maas.errors import NotFound
from maas.event_kinds import SQS, as_mapping, kind_of, stored_object
from maas.numbers import whole_number
from maas.settings import Settings
from maas.telemetry.observability import logger

MAX_RECEIVED_EVENT = 5  # then the job of an undeliverable event is failed
MAX_RECEIVED_SHARD = 3 * MAX_RECEIVED_EVENT  # a shard passes three queues, and each may count on from the one before
NOT_SETTLED = "could not be ended: the log of the planner function has the reason"
NOT_PLANNED = "could not be planned: no attempt finished; the log of the planner function has the reason"
_SHARD = {"job": str, "shard": str, "run": int}  # the message of a shard

settings = Settings.from_env()
planner = bootstrap.planner(settings)
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    kind = kind_of(event)
    if kind == SQS:
        return dict(process_partial_response(event, _dead_letter, processor, context))
    arrived = _object_of(event)
    if arrived is None:
        logger().info("ignored", extra={"event": kind})
        return {"ignored": kind}
    return _arrived(arrived)


def _arrived(arrived: Arrived) -> dict[str, Any]:
    try:
        job = planner.arrived(arrived)
    except NotFound as error:  # the job has expired: a repeat would not find it either
        logger().info("no job waits for this object", extra={"key": arrived.key, "reason": error.message})
        return {"ignored": arrived.key}
    if job is None:
        return {"ignored": arrived.key}
    outcome = {"job": job.id, "status": job.status, "reason": job.reason}
    logger().info("job", extra=outcome)
    return outcome


def _object_of(event: object) -> Arrived | None:
    found = stored_object(event)
    if found is None or type(found.get("size")) is not int:
        return None
    return Arrived(found["key"], found.get("version-id"), found["size"], found.get("etag", ""))


def _dead_letter(record: SQSRecord) -> None:
    """Handle a shard, an event, or Lambda's record of an event. An exception keeps the letter in its queue."""
    letter = _letter(record.body)
    received = whole_number(record.attributes.approximate_receive_count or "") or 1
    if all(type(letter.get(name)) is kind for name, kind in _SHARD.items()):
        _given_up(dict(letter), received)
        return
    arrived = _object_of(letter.get("requestPayload", letter))
    if arrived is None:  # retries would keep it in its queue for two weeks, failing each time
        logger().error("dropped a message of unknown kind", extra={"letter": record.body[:1000]})
        return
    if received <= MAX_RECEIVED_EVENT:
        _arrived(arrived)
        return
    job = planner.abandon(arrived, NOT_PLANNED)  # without another attempt, which may be killed
    logger().error("event given up", extra={"key": arrived.key, "received": received, "job": job.id if job else None})


def _letter(body: str) -> Mapping[str, Any]:
    try:
        return as_mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _given_up(message: dict[str, Any], received: int) -> None:
    try:
        job = planner.give_up(message["job"], message["shard"], message["run"])
    except Exception:
        if received <= MAX_RECEIVED_SHARD:
            raise
        logger().exception("shard not settled", extra=message)
        job = planner.job_end.fail(message["job"], NOT_SETTLED, message["run"])
    status = job.status if job else None
    logger().error("shard given up", extra={"job": message["job"], "shard": message["shard"], "status": status})
