"""Predicts shards and answers asynchronous requests on events of SQS. Only records that fail are delivered again."""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from maas import bootstrap
from maas.aws.after_answer import AfterAnswer
from maas.aws.sqs import Queue
from maas.batch.holding import held
from maas.event_kinds import SQS, kind_of
from maas.metrics.counters import FLUSH_SECONDS
from maas.numbers import whole_number
from maas.settings import Settings
from maas.telemetry.observability import logger
from maas.web import events

FINAL_MARGIN_SECONDS = 30  # to write a part and its row, and to queue the rest of the shard
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 15, 900

settings = Settings.from_env()
worker = bootstrap.worker(settings)
shards = bootstrap.queue(settings)
queues = {one.name: one for one in (shards, bootstrap.async_queue(settings))}
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
after_answer = AfterAnswer.start()
after_answer.every(FLUSH_SECONDS, worker.counters.flush)


@after_answer.follows
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    if kind_of(event) != SQS:
        logger().info("ignored", extra={"event": kind_of(event)})
        return {"ignored": kind_of(event)}
    deadline = events.deadline_of(context)

    def record_handler(record: SQSRecord) -> None:
        queue = _queue_of(record)
        received = whole_number(record.attributes.approximate_receive_count or "") or 1
        try:
            with held(queue, record.receipt_handle, deadline, settings.hold_seconds):
                message = json.loads(record.body)
                job = worker.work(message["job"], message["shard"], deadline - FINAL_MARGIN_SECONDS, received)
            logger().info("shard", extra=message | {"status": job.status})
        except Exception:
            logger().exception("shard failed", extra={"message_id": record.message_id, "received": received})
            queue.show_again(record.receipt_handle, min(FIRST_RETRY_SECONDS * 2**received, LAST_RETRY_SECONDS))
            raise

    return dict(process_partial_response(event, record_handler, processor, context))


def _queue_of(record: SQSRecord) -> Queue:
    return queues.get((record.get("eventSourceARN") or "").rpartition(":")[2], shards)
