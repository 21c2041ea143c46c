"""Delivers events that match EventBridge rules to the functions, and retries failed deliveries."""

import json
import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from maas_local.cloud import LocalCloud
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.template import EventRule, Template

WORKERS = 4  # per function: a deployment takes minutes, and no job waits for it
RETRY_SECONDS = 1.0  # Lambda waits a minute, then two
Invoke = Callable[[str, dict[str, Any]], object]
_log = logging.getLogger(__name__)


class EventPump:
    """Calls `invoke(function, event)` for every event on a few threads; an exception is a failed attempt."""

    def __init__(
        self, cloud: LocalCloud, template: Template, invoke: Invoke, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._cloud, self._invoke, self._retry_seconds = cloud, invoke, retry_seconds
        self._functions = template.functions()
        self._rules = template.event_rules()
        self._closing = threading.Event()
        self._workers = {rule.function: ThreadPoolExecutor(WORKERS, "events") for rule in self._rules}

    def start(self) -> None:
        for rule in self._rules:
            threading.Thread(target=self._poll, args=(rule,), daemon=True).start()

    def close(self) -> None:
        """Stop taking and retrying events; running invocations continue."""
        self._closing.set()

    def stop(self) -> None:
        """Close, and wait for running invocations."""
        self.close()
        for workers in self._workers.values():
            workers.shutdown(cancel_futures=True)

    def _poll(self, rule: EventRule) -> None:
        sqs = self._cloud.client("sqs")
        queue = sqs.get_queue_url(QueueName=rule.name)["QueueUrl"]
        while not self._closing.is_set():
            try:
                answer = sqs.receive_message(
                    QueueUrl=queue, WaitTimeSeconds=self._cloud.poll_seconds, MaxNumberOfMessages=10
                )
                for message in answer.get("Messages", []):
                    self._take(sqs, queue, message, rule.function)
            except (BotoCoreError, ClientError) as error:
                if not self._closing.is_set():
                    _log.warning("events of %s: %s", rule.name, error)
                    self._closing.wait(self._retry_seconds)

    def _take(self, sqs: Any, queue: str, message: dict[str, Any], function: str) -> None:
        if not self._closing.is_set():
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            self._workers[function].submit(self._deliver, function, as_aws_sends(json.loads(message["Body"])))

    def _deliver(self, function: str, event: dict[str, Any]) -> None:
        attempts = self._functions[function].attempts
        for attempt in range(1, attempts + 1):
            if self._closing.is_set():
                return
            try:
                self._invoke(function, event)
                return
            except Exception as error:
                if self._closing.wait(0):
                    return
                _log.error("%s failed on an event (attempt %d of %d): %s", function, attempt, attempts, error)
                last = error
            if attempt < attempts:
                self._closing.wait(self._retry_seconds * attempt)
        self._give_up(function, event, last)

    def _give_up(self, function: str, event: dict[str, Any], error: Exception) -> None:
        queue = self._functions[function].on_failure
        _log.error("%s: the event is dropped%s: %s", function, f" and sent to {queue}" if queue else "", event)
        if queue:
            sqs = self._cloud.client("sqs")
            record = _failure_record(function, self._functions[function].attempts, event, error)
            sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=json.dumps(record))


def as_aws_sends(event: dict[str, Any]) -> dict[str, Any]:
    """Convert moto's event to AWS's form: `time` from seconds to RFC 3339, `eTag` to `etag`."""
    if isinstance(event.get("time"), int | float):
        event["time"] = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stored = event.get("detail", {}).get("object", {})
    if "eTag" in stored:
        stored["etag"] = stored.pop("eTag")
    return event


def _failure_record(function: str, attempts: int, event: dict[str, Any], error: Exception) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    details = getattr(error, "details", None) or {"errorType": type(error).__name__, "errorMessage": str(error)}
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": details,
    }
