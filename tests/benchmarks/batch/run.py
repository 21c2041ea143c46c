"""All benchmarks of batch jobs."""

from pathlib import Path

from rich.console import Console

from benchmarks.batch import memory, rates, scaling, seeds
from benchmarks.figures import Figure
from support.aws.engine import Cloud


def measure(cloud: Cloud, folder: Path, console: Console) -> list[Figure]:
    return [
        *rates.measure(cloud, folder),
        *memory.measure(cloud, folder),
        *scaling.measure(cloud, folder, console),
        seeds.measure(),
    ]
