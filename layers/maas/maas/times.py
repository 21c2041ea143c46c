"""Times as the table keeps them."""

from datetime import UTC, datetime, timedelta


def canonical(time: datetime) -> str:
    """RFC 3339 in UTC with microseconds: of one length, so that text and time sort alike."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_after(previous: str) -> str:
    """Now; but after `previous` even when clocks disagree, so that history is in order."""
    now = datetime.now(UTC)
    if previous:
        now = max(now, datetime.fromisoformat(previous) + timedelta(microseconds=1))
    return canonical(now)
