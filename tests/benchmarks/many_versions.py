"""The registry with 10 versions and with 100,000: capacity that DynamoDB Local bills, and time, for each operation."""

import os
import statistics
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as Grid

from benchmarks.figures import Figure
from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.registry import Registry
from support.aws.engine import create_table
from support.aws.metering import Meter, grow, operations

FEW, MANY = 10, 100_000
ROUNDS = 7  # the first warms up


@dataclass(frozen=True)
class Measured:
    """Capacity units of one call and the median of its times."""

    units: float
    milliseconds: float


def measure(console: Console) -> list[Figure]:
    """A figure for each operation: its time with many versions against with few. Nothing without the engine."""
    url = os.environ.get("DYNAMODB_LOCAL_URL")
    if not url:
        console.print("[dim]The registry with 100,000 versions is left out: DYNAMODB_LOCAL_URL is not set.[/]")
        return []
    few, many = _registry(url, FEW), _registry(url, MANY)
    figures, grid = [], Grid("operation", "units", f"at {MANY:,}", box=None, header_style="bold")
    small, large = _run(few), _run(many)
    for name, one in small.items():
        other = large[name]
        grid.add_row(name, f"{one.units:g}", f"{other.units:g}")
        figures.append(
            Figure(
                name,
                other.milliseconds,
                f"with {FEW} versions",
                one.milliseconds,
                other.milliseconds / one.milliseconds,
                "×",
                1.5,
            )
        )
    console.print(grid)
    return figures


def _registry(url: str, versions: int) -> tuple[Registry, Meter]:
    dynamodb = client("dynamodb", "us-east-1", url)
    name = create_table(url)
    meter = Meter(boto3_call(dynamodb))
    registry = Registry(Table(meter, name))
    registry.models.create("m", "", {}, "ann")
    grow(dynamodb, name, "m", versions)
    return registry, meter


def _run(measured: tuple[Registry, Meter]) -> dict[str, Measured]:
    registry, meter = measured
    times: dict[str, list[float]] = {}
    units: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, operation in operations(registry).items():
            with meter.measured() as cost:
                started = time.perf_counter()
                operation()
                times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
            units[name] = cost.units
    return {name: Measured(units[name], statistics.median(found[1:])) for name, found in times.items()}
