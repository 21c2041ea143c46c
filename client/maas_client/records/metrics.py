"""What the versions of a model did, as frozen dataclasses."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsShadow:
    """As the shadow of an alias: of `compared` samples `mismatched` differ from what was answered, `failed` of these
    for want of an answer; `dropped` were not compared. `largest_difference` is at most twice the largest one, None if
    an output had no counterpart.

    >>> maas.models.metrics("digits").total.shadow is None
    True
    """

    compared: int
    mismatched: int
    failed: int
    dropped: int
    largest_difference: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSums:
    """`errors` (5xx) and `refused` (4xx) are part of `requests`, `reasons` has their numbers by class. `records` are
    those of batch jobs. Latencies are None without requests.

    >>> total = maas.models.metrics("digits").total
    >>> total.requests, total.errors, total.reasons
    (2, 0, {})
    """

    requests: int
    errors: int
    refused: int
    reasons: dict[str, int] = field(default_factory=dict)
    mean_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    rows: int
    cold_loads: int
    compute_ms: float
    bytes_in: int
    bytes_out: int
    records: int
    record_errors: int
    shadow: MetricsShadow | None = None
    captured: int = 0
    capture_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPoint(MetricsSums):
    """A minute, hour or day in which there was anything, by its beginning.

    >>> [point.requests for point in maas.models.metrics("digits").series[0].points]
    [2]
    """

    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsCost:
    """What Lambda charges, in USD: `usd` for requests, `records_usd` for batch jobs.

    >>> maas.models.metrics("digits").cost.usd_per_1000_records is None
    True
    """

    gb_seconds: float
    usd: float
    usd_per_1000_requests: float | None = None
    records_usd: float
    usd_per_1000_records: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSeries:
    """Of one `version`, or by one `alias`: "" is none, as of requests by number and of batch jobs.

    >>> [series.alias for series in maas.models.metrics("digits", by="alias").series]
    ['production']
    """

    version: int | None = None
    alias: str | None = None
    points: tuple[MetricsPoint, ...]
    total: MetricsSums
    cost: MetricsCost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPrices:
    """`priced_on` is the date of the list prices, None if the server was given prices.

    >>> maas.models.metrics("digits").prices.region
    'us-east-1'
    """

    region: str
    usd_per_gb_second: float
    usd_per_million_requests: float
    priced_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetrics:
    """Steps ("minute", "hour" or "day") from `start` until before `end`. Percentiles are within `percentile_error`, a
    share of them. Cost and prices are None where the server knows none.

    >>> maas.models.metrics("digits").step
    'minute'
    """

    model: str
    start: str
    end: str
    step: str
    by: str
    percentile_error: float
    series: tuple[MetricsSeries, ...]
    total: MetricsSums
    cost: MetricsCost | None = None
    prices: MetricsPrices | None = None
