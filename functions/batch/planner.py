"""Events of S3 (through EventBridge): an input arrived and is cut into shards. Of SQS, from two queues of dead letters:
shards that were given up, and events.
"""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from maas import bootstrap
from maas.batch.planner import Arrived
from maas.errors import NotFound
from maas.settings import Settings
from maas.telemetry.observability import logger

MOST_RECEIVED = 5  # of an event that was given up, before its job is
MOST_RECEIVED_SHARD = 3 * MOST_RECEIVED  # it comes through three queues, which may count on
NOT_SETTLED = "could not be brought to its end: the log of the planner function says why"
NOT_PLANNED = "could not be planned: no attempt came to an end; the log of the planner function says why"

settings = Settings.from_env()
planner = bootstrap.planner(settings)
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" in event:
        return dict(process_partial_response(event, _dead_letter, processor, context))
    return _arrived(_object_of(event))


def _arrived(arrived: Arrived) -> dict[str, Any]:
    try:
        job = planner.arrived(arrived)
    except NotFound as error:  # its job is gone: another attempt would find no more
        logger().info("no job waits for this object", extra={"key": arrived.key, "reason": error.message})
        return {"ignored": arrived.key}
    if job is None:
        return {"ignored": arrived.key}
    outcome = {"job": job.id, "status": job.status, "reason": job.reason}
    logger().info("job", extra=outcome)
    return outcome


def _object_of(event: dict[str, Any]) -> Arrived:
    found = event["detail"]["object"]
    return Arrived(found["key"], found.get("version-id"), found["size"], found.get("etag", ""))


def _dead_letter(record: SQSRecord) -> None:
    """A shard, an event as EventBridge had it, or Lambda's record of one. What is raised keeps it in its queue."""
    letter = json.loads(record.body)
    received = int(record.attributes.approximate_receive_count or 1)
    if "job" in letter:
        _given_up(letter, received)
        return
    arrived = _object_of(letter.get("requestPayload", letter))
    if received <= MOST_RECEIVED:
        _arrived(arrived)
        return
    job = planner.abandon(arrived, NOT_PLANNED)  # asked before another attempt, which may end by a kill
    logger().error("event given up", extra={"key": arrived.key, "received": received, "job": job.id if job else None})


def _given_up(message: dict[str, Any], received: int) -> None:
    try:
        job = planner.give_up(message["job"], message["shard"], message["run"])
    except Exception:
        if received <= MOST_RECEIVED_SHARD:
            raise
        logger().exception("shard not settled", extra=message)
        job = planner.results.fail(message["job"], NOT_SETTLED, message["run"])
    status = job.status if job else None
    logger().error("shard given up", extra={"job": message["job"], "shard": message["shard"], "status": status})
