"""The counters of two versions as the guard of a rollout reads them."""

from datetime import datetime

from maas.metrics.counts import Counts
from maas.metrics.histogram import lower_ms
from maas.metrics.metrics import Metrics
from maas.rollout.guard import Tally


def counted(
    metrics: Metrics, model: str, alias: str, since: datetime, until: datetime, p95_ms: float | None
) -> dict[int, Tally]:
    """By version, of the requests that came by this alias in the minutes from `since` until before `until`."""
    found = metrics.counts(model, alias, since, until)
    return {version: tally(counts, p95_ms) for version, counts in found.items()}


def tally(counts: Counts, p95_ms: float | None) -> Tally:
    """Slow are those in buckets wholly above `p95_ms`, but for as many as loaded the model: each new environment does.

    So `p95_ms` counts as the next limit of a bucket, at most 19 % more.
    """
    slow = 0
    if p95_ms is not None:
        above = sum(count for bucket, count in counts.histogram.items() if lower_ms(bucket) >= p95_ms)
        slow = max(0, above - counts.cold_loads)
    compared, mismatched = counts.shadow_compared, counts.shadow_mismatched
    return Tally(counts.requests, counts.errors, counts.refused, slow, compared, mismatched)
