"""Calls functions by the template's schedules, as EventBridge does."""

import json
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from maas_local.events import Invoke
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.template import Schedule, Template

_log = logging.getLogger(__name__)


class SchedulePump:
    """Calls `invoke(function, event)` after each interval of each schedule; `minute_seconds` shortens all of them."""

    def __init__(self, template: Template, invoke: Invoke, minute_seconds: float = 60) -> None:
        self._schedules, self._invoke, self._minute_seconds = template.schedules(), invoke, minute_seconds
        self._closing = threading.Event()
        self._workers = ThreadPoolExecutor(max(1, len(self._schedules)), thread_name_prefix="schedules")

    def start(self) -> None:
        for schedule in self._schedules:
            self._workers.submit(self._run, schedule)

    def close(self) -> None:
        """Start no more invocations; running ones continue."""
        self._closing.set()

    def stop(self) -> None:
        """Close, and wait for running invocations."""
        self.close()
        self._workers.shutdown()

    def _run(self, schedule: Schedule) -> None:
        while not self._closing.wait(schedule.minutes * self._minute_seconds):
            try:
                self._invoke(schedule.function, event_of(schedule))
            except Exception as error:
                if not self._closing.is_set():
                    _log.error("%s failed on schedule %s: %s", schedule.function, schedule.name, error)


def event_of(schedule: Schedule) -> dict[str, Any]:
    """What the function receives: the schedule's input, else EventBridge's own event."""
    if schedule.input is not None:
        found: dict[str, Any] = json.loads(schedule.input)
        return found
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{schedule.name}"],
        "detail": {},
    }
