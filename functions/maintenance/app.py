"""Scheduled. Every minute: looks at open rollouts and moves them on or back.

Every hour: purges what was deleted or abandoned longer ago than its retention time, finishes purges,
and rolls counters up.

Once a day: restarts versions and jobs that got stuck because an event or a message was lost.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from maas import bootstrap
from maas.deployment import uploads
from maas.errors import Conflict
from maas.event_kinds import SCHEDULED, as_mapping, kind_of
from maas.records import ModelVersion
from maas.settings import Settings
from maas.sweeps import each
from maas.telemetry.observability import count, logger

ACTOR = "maintenance"
RESERVE_SECONDS = 30  # for the purge that is running at the deadline
COUNTED = ("purged", "revived")  # metrics
ROLLOUTS, REVIVE = "rollouts", "revive"  # in the detail of the event of each minute and day

settings = Settings.from_env()
registry, bucket = bootstrap.registry(settings), bootstrap.bucket(settings)
purge = registry.purge(bucket.delete_prefix)
submission = bootstrap.submission(settings)
roll_up = bootstrap.roll_up(settings)
rollouts = bootstrap.rollout_tick(settings, ACTOR)
idle = timedelta(days=settings.idle_days)  # a day: no step takes so long, with all its retries


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    if kind_of(event) != SCHEDULED:
        return {"ignored": kind_of(event)}
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    task = as_mapping(event.get("detail")).get("task")
    if task == ROLLOUTS:
        return _told({"rollouts": (rollouts.run(deadline),)})
    if task == REVIVE:
        return _told({"revived": (_stalled_versions(deadline), _stuck_jobs(deadline))})
    now = datetime.now(UTC)
    expired = purge.expired(now - timedelta(days=settings.retention_days), ACTOR, deadline)
    abandoned = purge.abandoned(now - timedelta(days=settings.upload_retention_days), ACTOR, deadline)
    rolled = roll_up.run(now, (time.monotonic() + deadline) / 2)  # first, as a purge may take all of the time
    return _told({"rolled_up": (rolled,), "purged": (expired, abandoned)})


def _told(work: Mapping[str, Sequence[Iterator[str]]]) -> dict[str, Any]:
    """Run all sweeps; raises an ExceptionGroup of those that failed, at the end."""
    done: dict[str, list[str]] = {}
    failures: list[Exception] = []
    for what, sweeps in work.items():
        done[what] = []
        for sweep in sweeps:
            try:
                done[what].extend(sweep)
            except Exception as error:
                failures.append(error)
        if what in COUNTED:
            count(what.capitalize(), len(done[what]))
        logger().info(what, extra={what: done[what]})
    if failures:
        raise ExceptionGroup(f"{', '.join(work)}: not all", failures)
    return done


def _stalled_versions(deadline: float) -> Iterator[str]:
    """Write the commit mark of versions left VALIDATING again, as `complete` does: its event restarts them."""
    stalled = registry.stalled(datetime.now(UTC) - idle)
    return each(stalled, lambda version: f"{version.model}@{version.number}", _is_marked, deadline, "not revived")


def _is_marked(version: ModelVersion) -> bool:
    try:
        uploads.complete(bucket, version)
    except Conflict as error:  # its files are gone: it is purged when abandoned long enough
        logger().warning("not revived", extra={"model": version.model, "reason": error.message})
        return False
    return True


def _stuck_jobs(deadline: float) -> Iterator[str]:
    now = datetime.now(UTC)
    abandoned = now - timedelta(days=settings.upload_retention_days)
    for job in submission.wake_stuck(now - idle, abandoned, deadline):
        yield f"job {job}"
