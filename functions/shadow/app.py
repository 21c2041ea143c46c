"""Compares and captures sampled requests on events of SQS. Only what could not be captured is delivered again."""

from typing import Any

from maas import bootstrap
from maas.aws.after_answer import AfterAnswer
from maas.event_kinds import SQS, as_mapping, kind_of
from maas.metrics.counters import FLUSH_SECONDS
from maas.numbers import whole_number
from maas.sampling.shadowing import Message
from maas.settings import Settings
from maas.telemetry.observability import logger
from maas.web import events

FINAL_MARGIN_SECONDS = 10  # to count and to answer

settings = Settings.from_env()
counters = bootstrap.counters(settings)
shadowing = bootstrap.shadowing(settings, counters)
after_answer = AfterAnswer.start()
after_answer.every(FLUSH_SECONDS, counters.flush)


@after_answer.follows
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    if kind_of(event) != SQS:
        logger().info("ignored", extra={"event": kind_of(event)})
        return {"ignored": kind_of(event)}
    messages = [_message(record) for record in event["Records"]]
    again = shadowing.work(messages, events.deadline_of(context) - FINAL_MARGIN_SECONDS)
    logger().info("samples", extra={"messages": len(messages), "again": len(again)})
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in again]}


def _message(record: Any) -> Message:
    attributes = as_mapping(record.get("attributes"))
    received = whole_number(str(attributes.get("ApproximateReceiveCount") or "")) or 1
    return Message(record["messageId"], record.get("body") or "", received)
