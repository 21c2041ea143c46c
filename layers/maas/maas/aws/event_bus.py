"""EventBridge with boto3: events for other systems."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from maas.errors import ServiceUnavailable

SOURCE = "maas"


class EventBus:
    def __init__(self, client: Any) -> None:
        self._events = client

    def put(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Send an event to the account's default bus. Raises ServiceUnavailable."""
        entry = {"Source": SOURCE, "DetailType": kind, "Detail": json.dumps(detail)}
        try:
            answer = self._events.put_events(Entries=[entry])
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("EventBridge") from error
        if answer.get("FailedEntryCount"):
            raise ServiceUnavailable("EventBridge")
