"""Names the kind of event that a Lambda function received, for events that the function does not handle."""

from collections.abc import Mapping
from typing import Any

SQS, SCHEDULED = "SQS messages", "scheduled event"
_WARM_UP = {"warmer", "warmup", "warm", "keepwarm", "keep_warm", "ping"}  # payloads of common keep-warm plugins
_RECORDS = {"aws:sqs": SQS, "aws:sns": "SNS notification", "aws:s3": "S3 notification"}


def is_http(event: object) -> bool:
    """Whether it is an HTTP request, of API Gateway (payload 1.0 or 2.0), a function URL or a load balancer."""
    if not isinstance(event, dict):
        return False
    if "rawPath" in event or "httpMethod" in event:
        return True
    context = as_mapping(event.get("requestContext"))
    return "http" in context or "elb" in context


def kind_of(event: object) -> str:
    """A short description, such as `scheduled event`, `S3 test event` or `unknown event`."""
    if not isinstance(event, dict):
        return f"event of type {type(event).__name__}"
    if not event:
        return "empty event"
    if is_http(event):
        return "HTTP request"
    if "detail-type" in event:
        return _of_event_bridge(event)
    if event.get("Event") == "s3:TestEvent":
        return "S3 test event"
    records = event.get("Records")
    if isinstance(records, list) and records:
        first = as_mapping(records[0])
        source = str(first.get("eventSource") or first.get("EventSource") or "an unknown source")
        return _RECORDS.get(source, f"records of {source:.80}")
    if any(str(name).lower() in _WARM_UP for name in event) or event.get("source") == "serverless-plugin-warmup":
        return "warm-up event"
    return "unknown event"


def stored_object(event: object) -> Mapping[str, Any] | None:
    """`key`, `size`, `etag`, `version-id` of an EventBridge event of an S3 object; None for any other event."""
    found = as_mapping(as_mapping(as_mapping(event).get("detail")).get("object"))
    return found if isinstance(found.get("key"), str) else None


def _of_event_bridge(event: Mapping[Any, Any]) -> str:
    source, kind = event.get("source"), event["detail-type"]
    if source == "aws.events" and kind == "Scheduled Event":
        return SCHEDULED
    return f"EventBridge event '{kind!s:.80}' of {source!s:.80}"


def as_mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object of JSON, else an empty one: parts of an event can have any type."""
    return value if isinstance(value, dict) else {}
