"""What Lambda charges, as of PRICED_ON: on demand, first tier, without the free tier and without savings plans.

https://aws.amazon.com/lambda/pricing/
"""

import math
import platform
from dataclasses import dataclass

from maas.metrics.counts import Counts

PRICED_ON = "2026-11-26"
MB_MS_PER_GB_SECOND = 1024 * 1000
USUAL_GB_SECOND, USUAL_MILLION_REQUESTS = 0.0000166667, 0.20  # USD on x86_64, in most regions
_USUAL_REGIONS = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1", "ca-central-1"),
        *("sa-east-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-2"),
        *("ap-south-1", "ap-south-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    )
)
_DEARER = {
    "af-south-1": (0.0000221, 0.27),
    "ap-east-1": (0.00002292, 0.28),
    "eu-south-1": (0.0000195172, 0.23),
    "eu-central-2": (0.0000183334, 0.22),
    "il-central-1": (0.0000175, 0.21),
    "me-south-1": (0.0000206667, 0.25),
    "me-central-1": (0.0000206667, 0.25),
}
_ARM_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Prices:
    """In USD. `priced_on` is None for prices that a setting gives."""

    gb_second: float
    million_requests: float
    priced_on: str | None = PRICED_ON

    def of_requests(self, counts: Counts) -> float:
        """USD for the requests among them."""
        return counts.mb_ms / MB_MS_PER_GB_SECOND * self.gb_second + counts.requests / 1e6 * self.million_requests

    def of_shards(self, mb_ms: int, shards: int) -> float:
        """USD for shards of batch jobs, each an invocation."""
        return mb_ms / MB_MS_PER_GB_SECOND * self.gb_second + shards / 1e6 * self.million_requests


def prices_of(region: str, gb_second: str = "", million_requests: str = "") -> Prices | None:
    """Those of a region, for the CPU that this runs on, unless they are given as numbers; None if they are not known.

    Raises ValueError for a given price that is no number.
    """
    if region not in _USUAL_REGIONS and region not in _DEARER and not (gb_second and million_requests):
        return None
    x86, requests = _DEARER.get(region, (USUAL_GB_SECOND, USUAL_MILLION_REQUESTS))
    of_cpu = x86 * (_ARM_SHARE if platform.machine() in ("aarch64", "arm64") else 1)
    by_region = not gb_second and not million_requests
    return Prices(
        _price(gb_second) if gb_second else of_cpu,
        _price(million_requests) if million_requests else requests,
        PRICED_ON if by_region else None,
    )


def _price(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"got {text!r}, expected a price")
    return value
