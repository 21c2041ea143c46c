"""Events of S3 (through EventBridge): an input arrived and is cut into shards. Of SQS: shards that were given up."""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from maas import bootstrap
from maas.batch.planner import Arrived
from maas.errors import NotFound
from maas.observability import logger
from maas.settings import Settings

settings = Settings.from_env()
planner = bootstrap.planner(settings)
results = bootstrap.results(settings)
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" in event:
        return dict(process_partial_response(event, _given_up, processor, context))
    found = event["detail"]["object"]
    arrived = Arrived(found["key"], found.get("version-id"), found["size"], found.get("etag", ""))
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


def _given_up(record: SQSRecord) -> None:
    """Of the queue of dead letters: the job is told."""
    message = json.loads(record.body)
    job = results.give_up(message["job"], message["shard"])
    status = job.status if job else None
    logger().error("shard given up", extra={"job": message["job"], "shard": message["shard"], "status": status})
