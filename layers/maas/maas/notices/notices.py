"""Events on the bus, and messages to topics and webhooks."""

from collections.abc import Mapping
from typing import Any

from maas.aws.event_bus import EventBus
from maas.aws.sns import Topics
from maas.notices import webhook
from maas.telemetry.observability import logger

TOPIC = "arn:"


class Notices:
    def __init__(self, bus: EventBus, topics: Topics) -> None:
        self._bus, self._topics = bus, topics

    def tell(self, kind: str, detail: Mapping[str, Any], address: str | None) -> None:
        """Put an event on the account's default bus; send it to the https URL or SNS topic too, if there is one.

        Raises ServiceUnavailable.
        """
        self._bus.put(kind, detail)
        if address is None:
            return
        refused = self._topics.publish(address, detail) if address.startswith(TOPIC) else webhook.post(address, detail)
        if refused:  # the caller's own address: all is well, and EventBridge has the event
            logger().warning("notification refused", extra={"event": dict(detail), "reason": refused})
