"""SNS with boto3: messages to topics."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from maas.errors import ServiceUnavailable

_TRY_AGAIN = {"InternalError", "InternalFailure", "Throttled", "Throttling", "ThrottledException"}


class Topics:
    def __init__(self, client: Any) -> None:
        self._sns = client

    def publish(self, arn: str, message: Mapping[str, Any]) -> str | None:
        """None, or the reason why the topic refuses the message. Raises ServiceUnavailable."""
        try:
            self._sns.publish(TopicArn=arn, Message=json.dumps(message))
            return None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _TRY_AGAIN or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise ServiceUnavailable("SNS") from error
            return f"SNS answered {code}"
        except BotoCoreError as error:
            raise ServiceUnavailable("SNS") from error
