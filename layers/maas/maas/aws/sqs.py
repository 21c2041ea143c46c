"""An SQS queue with boto3."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from maas.errors import ServiceUnavailable

BATCH = 10  # limit of SendMessageBatch


class Queue:
    def __init__(self, client: Any, url: str) -> None:
        self._sqs, self._url = client, url

    @property
    def name(self) -> str:
        return self._url.rpartition("/")[2]

    def send(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Send each message at least once. Raises ServiceUnavailable; messages sent before stay sent."""
        rest = iter(messages)
        while some := list(islice(rest, BATCH)):
            entries = [{"Id": str(number), "MessageBody": json.dumps(one)} for number, one in enumerate(some)]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise ServiceUnavailable("SQS") from error
            if answer.get("Failed"):
                raise ServiceUnavailable("SQS")

    def show_again(self, receipt_handle: str, seconds: int) -> None:
        """Deliver a message again after so many seconds from now, unless it is deleted before."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError):
            return  # the visibility timeout stays as it is
