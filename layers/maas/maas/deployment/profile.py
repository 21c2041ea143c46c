"""What a version's measurements mean for who runs it: memory to give the function, money to expect."""

import math

from maas.settings import MB, MEMORY_MB_PER_VCPU

# US East (N. Virginia), x86; https://aws.amazon.com/lambda/pricing
USD_PER_GB_SECOND, USD_PER_MILLION_REQUESTS = 0.0000166667, 0.20
SMALLEST_MB, LARGEST_MB, STEP_MB = 512, 10240, 64
HEADROOM = 1.25  # over the measured peak: a request's own bytes, and what does not show in one run
OVERHEAD_MS = 2.0  # of one warm request beside the run: Lambda's runtime, decoding, encoding


def recommended_memory_mb(peak_memory_bytes: float) -> int:
    """MB for the inference function that serves this model alone."""
    needed = peak_memory_bytes * HEADROOM / MB
    return min(max(SMALLEST_MB, math.ceil(needed / STEP_MB) * STEP_MB), LARGEST_MB)


def usd_per_million(run_ms: float, measured_mb: int, memory_mb: int) -> float:
    """An estimate for a million warm requests, one row each.

    `run_ms` was measured with `measured_mb`; CPU time grows as memory, and with it the share of a vCPU, shrinks.
    """
    slower = max(1.0, min(measured_mb, MEMORY_MB_PER_VCPU) / memory_mb)
    billed_ms = math.ceil((run_ms + OVERHEAD_MS) * slower)
    return round(billed_ms / 1000 * memory_mb / 1024 * USD_PER_GB_SECOND * 1_000_000 + USD_PER_MILLION_REQUESTS, 2)
