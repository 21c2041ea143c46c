"""Schemas of metrics."""

import math
from typing import Literal, Self

from pydantic import BaseModel

from maas.metrics.counts import Counts
from maas.metrics.histogram import PERCENTILE_ERROR, percentile_ms
from maas.metrics.prices import MB_MS_PER_GB_SECOND, Prices
from maas.metrics.series import By, Series, Span
from maas.times import canonical
from schemas.shared import EXAMPLE_TIME, like

US_PER_MS = 1000
_SUMS = {
    "requests": 1200,
    "errors": 0,
    "refused": 3,
    "reasons": {"InvalidTensor": 3},
    "mean_ms": 6.2,
    "p50_ms": 5.2,
    "p95_ms": 12.3,
    "p99_ms": 24.7,
    "rows": 9600,
    "cold_loads": 1,
    "compute_ms": 4100.5,
    "bytes_in": 2400000,
    "bytes_out": 480000,
    "records": 0,
    "record_errors": 0,
    "shadow": {"compared": 120, "mismatched": 3, "failed": 0, "dropped": 1, "largest_difference": 0.0625},
    "captured": 12,
    "capture_dropped": 0,
}
_COST = {
    "gb_seconds": 13.8,
    "usd": 0.00047,
    "usd_per_1000_requests": 0.00039,
    "records_usd": 0.0,
    "usd_per_1000_records": None,
}


class ShadowSums(BaseModel):
    """As the shadow of an alias: of `compared` samples `mismatched` differ from what was answered, `failed` of these
    for want of an answer; `dropped` were not compared. `largest_difference` is at most twice the largest one; null if
    an output had no counterpart."""

    compared: int
    mismatched: int
    failed: int
    dropped: int
    largest_difference: float | None

    @classmethod
    def of(cls, counts: Counts) -> Self | None:
        if not counts.shadow_compared and not counts.shadow_dropped:
            return None
        largest = counts.largest_difference
        return cls(
            compared=counts.shadow_compared,
            mismatched=counts.shadow_mismatched,
            failed=counts.shadow_failed,
            dropped=counts.shadow_dropped,
            largest_difference=largest if math.isfinite(largest) else None,
        )


class Sums(BaseModel):
    """`errors` (5xx) and `refused` (4xx) are part of `requests`; `records` are those of batch jobs. Latencies are null
    without requests."""

    requests: int
    errors: int
    refused: int
    reasons: dict[str, int]
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    rows: int
    cold_loads: int
    compute_ms: float
    bytes_in: int
    bytes_out: int
    records: int
    record_errors: int
    shadow: ShadowSums | None
    captured: int
    capture_dropped: int

    @classmethod
    def of(cls, counts: Counts, **more: object) -> Self:
        plain = {name: getattr(counts, name) for name in cls.model_fields if hasattr(counts, name)}
        percentiles = {f"p{share}_ms": _rounded(percentile_ms(counts.histogram, share / 100)) for share in (50, 95, 99)}
        all_ms = (counts.success_us + counts.fail_us) / US_PER_MS
        means = {
            "mean_ms": _rounded(all_ms / counts.requests) if counts.requests else None,
            "compute_ms": counts.compute_us / US_PER_MS,
            "shadow": ShadowSums.of(counts),
        }
        return cls.model_validate(plain | percentiles | means | more)


class Cost(BaseModel):
    """What Lambda charges, in USD: `usd` for requests, `records_usd` for batch jobs. API Gateway, DynamoDB, S3 and logs
    are not in it."""

    gb_seconds: float
    usd: float
    usd_per_1000_requests: float | None
    records_usd: float
    usd_per_1000_records: float | None

    @classmethod
    def of(cls, counts: Counts, prices: Prices) -> Self:
        usd, records_usd = prices.of_requests(counts), prices.of_shards(counts.batch_mb_ms, counts.shards)
        return cls(
            gb_seconds=round((counts.mb_ms + counts.batch_mb_ms) / MB_MS_PER_GB_SECOND, 3),
            usd=_usd(usd),
            usd_per_1000_requests=_usd(usd / counts.requests * 1000) if counts.requests else None,
            records_usd=_usd(records_usd),
            usd_per_1000_records=_usd(records_usd / counts.records * 1000) if counts.records else None,
        )


class Point(Sums):
    """A step that has counts, by its beginning."""

    at: str


class MetricsSeries(BaseModel):
    """Of one `version`, or by one `alias`: an empty one is none, as of requests by number and of batch jobs."""

    version: int | None
    alias: str | None
    points: list[Point]
    total: Sums
    cost: Cost | None

    @classmethod
    def of(cls, series: Series, prices: Prices | None) -> Self:
        total = series.total
        return cls(
            version=series.version,
            alias=series.alias,
            points=[Point.of(counts, at=canonical(at)) for at, counts in series.points.items()],
            total=Sums.of(total),
            cost=Cost.of(total, prices) if prices else None,
        )


class UsedPrices(BaseModel):
    """`priced_on` is the date of the table of prices; null if a setting gives them."""

    region: str
    usd_per_gb_second: float
    usd_per_million_requests: float
    priced_on: str | None


class Metrics(BaseModel):
    """Steps from `start` until before `end`. Percentiles are within `percentile_error` (a share) of the exact ones."""

    model_config = like(
        model="digits",
        start=EXAMPLE_TIME,
        end="2026-01-31T12:01:00.000000Z",
        step="minute",
        by="version",
        percentile_error=0.091,
        series=[
            {
                "version": 2,
                "alias": None,
                "points": [_SUMS | {"at": EXAMPLE_TIME}],
                "total": _SUMS,
                "cost": _COST,
            }
        ],
        total=_SUMS,
        cost=_COST,
        prices={
            "region": "us-east-1",
            "usd_per_gb_second": 0.0000166667,
            "usd_per_million_requests": 0.2,
            "priced_on": "2026-11-26",
        },
    )

    model: str
    start: str
    end: str
    step: Literal["minute", "hour", "day"]
    by: By
    percentile_error: float
    series: list[MetricsSeries]
    total: Sums
    cost: Cost | None
    prices: UsedPrices | None

    @classmethod
    def of(cls, model: str, span: Span, by: By, series: list[Series], region: str, prices: Prices | None) -> Self:
        total = Counts.sum(one.total for one in series)
        used = prices and UsedPrices(
            region=region,
            usd_per_gb_second=prices.gb_second,
            usd_per_million_requests=prices.million_requests,
            priced_on=prices.priced_on,
        )
        return cls.model_validate(
            {
                "model": model,
                "start": canonical(span.start),
                "end": canonical(span.end),
                "step": span.step.name.lower(),
                "by": by,
                "percentile_error": round(PERCENTILE_ERROR, 3),
                "series": [MetricsSeries.of(one, prices) for one in series],
                "total": Sums.of(total),
                "cost": Cost.of(total, prices) if prices else None,
                "prices": used,
            }
        )


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)


def _usd(amount: float) -> float:
    """Six digits that count: amounts are small."""
    return float(f"{amount:.6g}")
