"""Decides when calls, uploads and downloads are retried, without I/O."""

import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from maas_client.errors import MaasError

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
LONGEST_RETRY_AFTER_SECONDS = 60.0
STORAGE_ATTEMPTS = 6
STORAGE_MAY_WORK_LATER = {408, 429, 500, 502, 503, 504}


class TryAgain(Exception):
    """A failed attempt that is worth a retry. `error` is raised if none is left; `after_seconds` is Retry-After."""

    def __init__(self, error: MaasError, after_seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.after_seconds = error, after_seconds


class Retries:
    """Counts attempts. `deadline` (of time.monotonic) bounds attempts and pauses."""

    def __init__(self, attempts: int, deadline: float | None = None) -> None:
        self._attempts, self._deadline = attempts, deadline
        self._made = 0

    def pause_after(self, failed: TryAgain) -> float:
        """Seconds until the next attempt. Raises the failure's error if no attempt or no time is left."""
        self._made += 1
        asked_seconds = failed.after_seconds or 0.0
        if self._made >= self._attempts or asked_seconds > LONGEST_RETRY_AFTER_SECONDS:
            raise failed.error
        pause_seconds = backoff_seconds(self._made) + asked_seconds
        if self._deadline is not None and time.monotonic() + pause_seconds >= self._deadline:
            raise failed.error
        return pause_seconds


def backoff_seconds(attempt: int) -> float:
    """The pause after an attempt: exponential, with jitter."""
    return min(PAUSE_SECONDS * 2.0 ** (attempt - 1), LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1)


def retry_after_seconds(header: str | None) -> float | None:
    """The seconds or the date of a Retry-After header, in seconds from now; None for any other text."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
