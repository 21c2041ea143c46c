"""Captured requests, as frozen dataclasses; and what a replay of them found."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFile:
    """A file of requests that were answered in the `hour`, gzip-packed JSON Lines; `url` is good for an hour.

    >>> maas.captures.list("digits", 1)
    []
    """

    name: str
    hour: str
    size_bytes: int
    url: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A request whose outputs differ: by `largest` at most, or the `reason` why it failed.

    `largest` is None where no number tells it: for strings, and where an output has no counterpart.

    >>> Difference("5f0c", 0.5, None).largest
    0.5
    """

    id: str
    largest: float | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """Captured answers of `version` beside those of version `against` to the same requests.

    `compared` requests ran again, `mismatched` differ, `failed` of these for want of an answer; `skipped` ones have no
    inputs, no outputs or parameters. `largest_difference` is of those with a counterpart. `differences` has the first
    hundred.

    >>> ReplayReport(model="digits", version=1, against=2, job="5f0c", compared=8, mismatched=1).mismatched
    1
    """

    model: str
    version: int
    against: int
    job: str | None = None
    compared: int = 0
    mismatched: int = 0
    failed: int = 0
    skipped: int = 0
    largest_difference: float = 0.0
    differences: tuple[Difference, ...] = ()


Line = dict[str, Any]  # of a captured file
