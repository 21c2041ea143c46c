"""Sends messages to an SQS queue with signed requests, for functions that do not import boto3.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
"""

import json

from maas.aws.signed import SignedClient, service_url
from maas.errors import ServiceUnavailable

MAX_BYTES = 1_000_000  # of a message: SQS takes 1 MiB, with its attributes


class SignedQueue:
    def __init__(self, region: str, endpoint_url: str, url: str, attempts: int, timeout_seconds: float) -> None:
        client_url = service_url("sqs", region, endpoint_url)
        self._client, self._url = SignedClient("sqs", region, client_url, attempts, timeout_seconds), url

    def send(self, body: str) -> None:
        """Send a message of at most MAX_BYTES at least once. Raises ServiceUnavailable."""
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"}
        request = json.dumps({"QueueUrl": self._url, "MessageBody": body}).encode()
        with self._client.request("POST", "/", {}, headers, request) as response:
            response.read()
            if response.status != 200:
                raise ServiceUnavailable("SQS")
