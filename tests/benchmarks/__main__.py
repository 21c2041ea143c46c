"""Measure, print, and exit with 1 if a budget is missed by more than the machine's noise explains.

Goals against other servers are told, met or not. Arguments are the parts to measure, all if none is named.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from rich.console import Console

from benchmarks import (
    cold,
    counting,
    fuzz,
    large,
    many_versions,
    peers,
    prepared,
    quantized,
    rollout,
    text,
    traffic,
    warm,
)
from benchmarks import console as page
from benchmarks.batch import fixed, memory, rates, scaling, seeds
from benchmarks.cases import Case, cases
from benchmarks.figures import Figure, show
from maas.settings import Settings
from maas_local.cloud import LocalCloud
from maas_local.resources import NAME
from support import networks
from support.aws.engine import CREDENTIALS, TEMPLATE, Cloud

NOISE = 1.25  # shared machines drift; beyond this a missed budget is a fault


def inference(cloud: Cloud, folder: Path, requests: list[Case]) -> list[Figure]:
    return [
        cold.measure(cloud, "tiny model", networks.small(), folder, budget=2.0),
        cold.measure(cloud, "50 MB model", networks.dense(50), folder, budget=2.0),
        *warm.measure(cloud, requests),
    ]


def loading(cloud: Cloud, folder: Path) -> list[Figure]:
    images, tokens = ([1, 3, 64, 64], [1, 10]), ([1, 64, 512], [1, 64, 512])
    return [
        *prepared.measure(),
        *quantized.measure(),
        cold.measure_preparation(cloud, "convolutions", networks.convolutions(), images, folder),
        cold.measure_preparation(cloud, "transformer", networks.transformer(), tokens, folder),
    ]


def main() -> int:
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory() as folder, LocalCloud.start(TEMPLATE) as local:
        tmp_dir = str(Path(folder) / "maas")
        settings = Settings(table=NAME, bucket=NAME, endpoint_url=local.url, tmp_dir=tmp_dir, tmp_mb=2048)
        console = Console(file=sys.stderr if "--json" in sys.argv else sys.stdout)
        # What the handlers print, a line a request, is for CloudWatch.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), console.status("measuring …"):
            requests, cloud = cases(), Cloud(settings)
            parts: dict[str, Callable[[], list[Figure]]] = {
                "inference": lambda: inference(cloud, Path(folder), requests),
                "peers": lambda: peers.measure(console, requests),
                "text": lambda: text.measure(console),
                "loading": lambda: loading(cloud, Path(folder)),
                "large": lambda: large.measure(cloud, Path(folder)),
                "registry": lambda: many_versions.measure(console),
                "rollout": rollout.measure,
                "counting": lambda: counting.measure(cloud, requests[0]),
                "traffic": lambda: traffic.measure(cloud, requests[0]),
                "console": page.measure,
                "batch": lambda: rates.measure(cloud, Path(folder)),
                "shard": lambda: fixed.measure(cloud, console),
                "workers": lambda: [
                    *memory.measure(cloud, Path(folder)),
                    *scaling.measure(cloud, Path(folder), console),
                ],
                "faults": lambda: [seeds.measure()],
                "broken": lambda: [fuzz.measure(), fuzz.measure_models()],
            }
            wanted = [one for one in sys.argv[1:] if not one.startswith("--")] or list(parts)
            figures = [figure for part in wanted for figure in parts[part]()]
    if "--json" in sys.argv:
        print(json.dumps([figure.as_dict() for figure in figures], indent=2))
    else:
        show(console, figures)
    return any(figure.is_missed(NOISE) for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
