"""Structured logs and metrics of events, with Powertools, which is imported when the first line is written.

HTTP requests have a line of another making: `maas.request_log`.
"""

from functools import cache
from typing import TYPE_CHECKING

from maas.telemetry.request_log import NAMESPACE, service

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

MILLISECONDS = {"DeploymentTime"}  # of all others: Count


@cache
def logger() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger()


def count(name: str, value: float = 1) -> None:
    """A metric of the whole installation (docs/operations.md). An event that comes twice counts twice."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    unit = MetricUnit.Milliseconds if name in MILLISECONDS else MetricUnit.Count
    of = {"service": service()}
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE, default_dimensions=of):
        pass
