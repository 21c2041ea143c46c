"""Structured logs and metrics with Powertools, which is imported at the first line written.

The log line of HTTP requests is written by `maas.telemetry.request_log`.
"""

from functools import cache
from typing import TYPE_CHECKING

from maas.telemetry.request_log import NAMESPACE, service

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

MILLISECONDS = {"DeploymentTime"}  # metrics in milliseconds; all others are counts


@cache
def logger() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger()


def count(name: str, value: float = 1) -> None:
    """Record a metric of the installation (docs/operations.md). An event delivered twice counts twice."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    unit = MetricUnit.Milliseconds if name in MILLISECONDS else MetricUnit.Count
    of = {"service": service()}
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE, default_dimensions=of):
        pass
