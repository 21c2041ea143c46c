"""Structured logs and metrics with Powertools, which is imported at the first line written.

The log line of HTTP requests is written by `maas.telemetry.request_log`.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from maas.telemetry.request_log import NAMESPACE, service

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

LONGEST_TEXT = 20_000  # characters of a value: messages quote names, which may be megabytes
MILLISECONDS = {"DeploymentTime"}  # metrics in milliseconds; all others are counts


@cache
def logger() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger(json_serializer=_line)


def _line(record: Mapping[str, Any]) -> str:
    """ASCII: names, keys and messages of others neither end the line nor act on a terminal that shows it."""
    return json.dumps(_short(record), default=str, separators=(",", ":"))


def _short(value: Any) -> Any:
    """The value with texts of at most LONGEST_TEXT; an exception is an object."""
    if isinstance(value, Mapping):
        return {str(name)[:LONGEST_TEXT]: _short(one) for name, one in value.items()}
    return str(value)[:LONGEST_TEXT] if isinstance(value, str | BaseException) else value


def count(name: str, value: float = 1) -> None:
    """Record a metric of the installation (docs/operations.md). An event delivered twice counts twice."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    unit = MetricUnit.Milliseconds if name in MILLISECONDS else MetricUnit.Count
    of = {"service": service()}
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE, default_dimensions=of):
        pass
