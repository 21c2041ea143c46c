"""Events on the bus, and messages to topics and webhooks."""

from collections.abc import Mapping
from typing import Any

from maas.aws.event_bus import EventBus
from maas.aws.sns import Topics
from maas.notices import webhook

TOPIC = "arn:"


class Notices:
    def __init__(self, bus: EventBus, topics: Topics) -> None:
        self._bus, self._topics = bus, topics

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        """An event on the account's default bus. Raises ServiceUnavailable."""
        self._bus.put(kind, detail)

    def notify(self, address: str, message: Mapping[str, Any]) -> str | None:
        """To an https URL or an SNS topic; returns why it was refused, or None. Raises ServiceUnavailable."""
        if address.startswith(TOPIC):
            return self._topics.publish(address, message)
        return webhook.post(address, message)
