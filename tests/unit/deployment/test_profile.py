"""Recommended memory and estimated price."""

import pytest

from maas.deployment.profile import recommended_memory_mb, usd_per_million

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("peak_mb", "memory_mb"), [(10, 512), (512, 640), (1000, 1280), (1001, 1280), (1030, 1344), (20_000, 10_240)]
)
def test_recommended_memory(peak_mb: int, memory_mb: int) -> None:
    assert recommended_memory_mb(peak_mb * MB) == memory_mb


def test_price_of_a_million_requests() -> None:
    # 8 ms and 2 of overhead at 1 GB: 10,000 GB-seconds, and the price of a million requests.
    assert usd_per_million(8.0, 1024, 1024) == pytest.approx(10_000 * 0.0000166667 + 0.20, abs=0.005)


def test_price_with_less_cpu() -> None:
    assert usd_per_million(98.0, 1769, 512) > usd_per_million(98.0, 512, 512)
    assert usd_per_million(98.0, 3538, 1769) == usd_per_million(98.0, 1769, 1769)
