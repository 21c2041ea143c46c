"""From a version's measurements: the memory its function needs and the price of a million requests."""

import math

from maas.metrics.prices import USUAL_GB_SECOND, USUAL_MILLION_REQUESTS
from maas.settings import MB, MEMORY_MB_PER_VCPU

SMALLEST_MB, LARGEST_MB, STEP_MB = 512, 10240, 64
HEADROOM = 1.25  # over the measured peak: for the bytes of requests
OVERHEAD_MS = 2.0  # of a warm request beside the run: Lambda's runtime, decoding, encoding


def recommended_memory_mb(peak_memory_bytes: float) -> int:
    """MB for an inference function that serves only this model."""
    needed = peak_memory_bytes * HEADROOM / MB
    return min(max(SMALLEST_MB, math.ceil(needed / STEP_MB) * STEP_MB), LARGEST_MB)


def usd_per_million(run_ms: float, measured_mb: int, memory_mb: int) -> float:
    """Estimated USD for a million warm requests of the measured shape.

    `run_ms` was measured with `measured_mb`; with less memory Lambda gives less CPU, and a run takes longer.
    """
    slower = max(1.0, min(measured_mb, MEMORY_MB_PER_VCPU) / memory_mb)
    billed_ms = math.ceil((run_ms + OVERHEAD_MS) * slower)
    return round(billed_ms / 1000 * memory_mb / 1024 * USUAL_GB_SECOND * 1_000_000 + USUAL_MILLION_REQUESTS, 2)
