"""Delivers SQS messages to functions; failed messages return to the queue and end in its dead-letter queue.

The messages of a function whose process died stay hidden for as long as it had hidden them. Those of one that died
before its handler was called come again at once: nothing has shortened the queue's timeout.

Lambda's pollers do the same: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from maas_local.cloud import LocalCloud
from maas_local.events import Invoke
from maas_local.functions import FunctionError
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.template import QueueSource, Template

WORKERS = 4  # per queue
RETRY_SECONDS = 1  # instead of the queue's visibility timeout, which is much longer
_log = logging.getLogger(__name__)


class QueuePump:
    """Calls `invoke(function, event)` with the messages of every queue that is a function's event source."""

    def __init__(
        self, cloud: LocalCloud, template: Template, invoke: Invoke, retry_seconds: int = RETRY_SECONDS
    ) -> None:
        self._cloud, self._invoke, self._retry_seconds = cloud, invoke, retry_seconds
        self._sources = template.queue_sources()
        self._closing = threading.Event()
        self._workers = ThreadPoolExecutor(WORKERS * max(1, len(self._sources)), thread_name_prefix="queues")

    def start(self) -> None:
        for source in self._sources:
            threading.Thread(target=self._poll, args=(source,), daemon=True).start()

    def close(self) -> None:
        """Stop taking messages; running invocations continue."""
        self._closing.set()

    def stop(self) -> None:
        """Close, and wait for running invocations."""
        self.close()
        self._workers.shutdown(cancel_futures=True)

    def _poll(self, source: QueueSource) -> None:
        """Takes messages while a worker is free for them."""
        sqs = self._cloud.client("sqs")
        url = sqs.get_queue_url(QueueName=source.queue)["QueueUrl"]
        free = threading.Semaphore(WORKERS)
        while not self._closing.is_set():
            try:
                with free:
                    answer = sqs.receive_message(
                        QueueUrl=url,
                        WaitTimeSeconds=self._cloud.poll_seconds,
                        MaxNumberOfMessages=min(source.batch_size, 10),
                        AttributeNames=["All"],
                    )
                if answer.get("Messages"):
                    free.acquire()
                    delivery = self._workers.submit(self._deliver, sqs, url, source, answer["Messages"])
                    delivery.add_done_callback(lambda _: free.release())
            except RuntimeError:  # the pump was stopped meanwhile, and perhaps the engine
                for message in answer["Messages"]:
                    handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
                    with suppress(BotoCoreError, ClientError):
                        sqs.change_message_visibility(**handle, VisibilityTimeout=0)
            except (BotoCoreError, ClientError) as error:
                if not self._closing.is_set():
                    _log.warning("messages of %s: %s", source.queue, error)
                    self._closing.wait(self._retry_seconds)

    def _deliver(self, sqs: Any, url: str, source: QueueSource, messages: list[dict[str, Any]]) -> None:
        try:
            answer = self._invoke(source.function, event_of(source.queue, messages))
            failed = _failed(answer, messages) if source.reports_failures else set()
        except Exception as error:
            _log.error("%s failed on messages of %s: %s", source.function, source.queue, error)
            if isinstance(error, FunctionError) and error.is_death:
                return  # as with Lambda, the messages come again after the timeout that the function gave them
            failed = {message["MessageId"] for message in messages}
        for message in messages:
            handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
            if message["MessageId"] in failed:
                sqs.change_message_visibility(**handle, VisibilityTimeout=self._retry_seconds)
            else:
                sqs.delete_message(**handle)


def _failed(answer: object, messages: list[dict[str, Any]]) -> set[str]:
    """Ids of the messages that the function reports as failed; all ids if its report names an unknown one."""
    everything = {message["MessageId"] for message in messages}
    if not isinstance(answer, dict):
        return set()
    named = {one.get("itemIdentifier") for one in answer.get("batchItemFailures") or []}
    return everything if named - everything else {one for one in named if one}


def event_of(queue: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {},
                "md5OfBody": message.get("MD5OfBody", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }
