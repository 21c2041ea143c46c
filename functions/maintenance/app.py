"""Scheduled: purges what was deleted longer ago than the retention time, and finishes started purges."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from maas import bootstrap
from maas.event_kinds import SCHEDULED, kind_of
from maas.settings import Settings
from maas.telemetry.observability import count, logger

ACTOR = "maintenance"
RESERVE_SECONDS = 30  # for the purge that is running at the deadline

settings = Settings.from_env()
purge = bootstrap.registry(settings).purge(bootstrap.bucket(settings).delete_prefix)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    if kind_of(event) != SCHEDULED:
        return {"ignored": kind_of(event)}
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    before = datetime.now(UTC) - timedelta(days=settings.retention_days)
    purged: list[str] = []
    try:
        for name in purge.expired(before, ACTOR, deadline):
            purged.append(name)
    finally:
        count("Purged", len(purged))
        logger().info("purged", extra={"purged": purged})
    return {"purged": purged}
