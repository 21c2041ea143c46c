"""The contract of metrics: two requests to version 1, by the alias `production`."""

from typing import Any

SUMS = {
    **dict.fromkeys(("requests", "rows"), 2),
    **dict.fromkeys(("errors", "refused", "cold_loads", "bytes_in", "bytes_out", "records", "record_errors"), 0),
    **dict.fromkeys(("mean_ms", "p50_ms", "p95_ms", "p99_ms", "compute_ms"), 5.2),
    "reasons": {},
}
COST = {
    "gb_seconds": 0.02,
    "usd": 6e-7,
    "usd_per_1000_requests": 3e-4,
    "records_usd": 0.0,
    "usd_per_1000_records": None,
}
PRICES = {"region": "us-east-1", "usd_per_gb_second": 1.7e-5, "usd_per_million_requests": 0.2, "priced_on": None}


def metrics_json(query: dict[str, str], name: str, now: str) -> dict[str, Any]:
    by = query.get("by", "version")
    named = {"version": 1, "alias": None} if by == "version" else {"version": None, "alias": "production"}
    one = named | {"points": [SUMS | {"at": now}], "total": SUMS, "cost": COST}
    times = {"start": now, "end": "2026-01-02T03:05:05Z", "step": query.get("step", "minute"), "by": by}
    known = {"percentile_error": 0.091, "prices": PRICES, "total": SUMS, "cost": COST}
    return {"model": name, "series": [one]} | times | known
