"""Times in the form that the table stores."""

from datetime import UTC, datetime, timedelta


def canonical(time: datetime) -> str:
    """RFC 3339 in UTC with microseconds: fixed length, so that text order is time order."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_after(previous: str) -> str:
    """Now, or just after `previous` if that is later: clocks differ, and a history must stay in order."""
    now = datetime.now(UTC)
    if previous:
        now = max(now, datetime.fromisoformat(previous) + timedelta(microseconds=1))
    return canonical(now)
