"""One job of many shards: with one and two workers on this machine, with up to a thousand in a simulation."""

import statistics
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.batch import process
from benchmarks.batch.files import npy
from benchmarks.batch.place import Place
from benchmarks.batch.simulation import PROVISIONED, STANDARD, Times, seconds
from benchmarks.figures import Figure
from maas.batch.locations import DATA
from maas.batch.planner import SHARD_SECONDS
from maas.batch.state.job_records import JobStatus
from support import networks
from support.aws.engine import Cloud

ROWS, SHARDS, ROUNDS = 1 << 14, 24, 3
SIMULATED_SHARDS = 20_000  # the most that a job has
WORKERS = (1, 10, 100, 1000)


def measure(cloud: Cloud, folder: Path, console: Console) -> list[Figure]:
    cloud.create_model("scaled")
    assert cloud.deploy("scaled", networks.dense(50)).status == "READY"
    place = Place.of(cloud, "scaling")
    x = np.random.default_rng(0).random((ROWS, 64), np.float32)
    place.worker.output.bucket.write(f"{DATA}scaling.npy", npy(x))
    alone, both, planning, starts, shards = [], [], [], [], []
    for _ in range(ROUNDS):
        for workers, times in ((1, alone), (2, both)):
            started = time.perf_counter()
            job = place.job("scaled", "scaling.npy", x.nbytes // SHARDS)
            planning.append((time.perf_counter() - started) / SHARDS)
            worked = process.run(cloud, "scaling", "scaled", workers)
            assert place.worker.jobs.get(job.id).status is JobStatus.SUCCEEDED
            times.append(worked.seconds)
            if workers == 1:
                starts.append(worked.start_seconds)
                shards += worked.shard_seconds
    ratio = statistics.median(one / two for one, two in zip(alone, both, strict=True))
    alone_ms, both_ms = statistics.median(alone) * 1000, statistics.median(both) * 1000
    figures = [Figure(f"batch, {SHARDS} shards, 2 workers", both_ms, "1 worker", alone_ms, ratio, "×")]
    overhead = max(0.0, statistics.median(shards) - _run_seconds(place, x[: ROWS // SHARDS]))
    times = Times(statistics.median(starts), overhead)
    planned_ms = statistics.median(planning) * 1000
    console.print(
        f"[dim]Planned here: a shard in {planned_ms:.0f} ms, by a stand-in that does one call after another.[/]"
    )
    return figures + _simulated(times, console)


def _run_seconds(place: Place, x: np.ndarray) -> float:
    """Seconds that the model alone takes for the rows of a shard."""
    runner, took = place.worker.dataplane.runner(place.worker.dataplane.resolve("scaled", "1")), []
    for _ in range(5):
        started = time.perf_counter()
        runner.run({"x": x})
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _simulated(times: Times, console: Console) -> list[Figure]:
    """Speed-ups over one worker, for shards of the target time and for short shards of a small model."""
    grid = Grid("workers", *(f"{workers:,}" for workers in WORKERS), box=None, header_style="bold")
    figures = []
    cases = [(run_seconds, STANDARD) for run_seconds in (2.0, 10.0, SHARD_SECONDS)]
    for run_seconds, ramp in [*cases, (10.0, PROVISIONED)]:
        alone = seconds(1, SIMULATED_SHARDS, run_seconds, times)
        sped = [alone / seconds(workers, SIMULATED_SHARDS, run_seconds, times, ramp) for workers in WORKERS]
        what = f"shards of {run_seconds:g} s" + (", provisioned pollers" if ramp is PROVISIONED else "")
        grid.add_row(what, *(f"{one:,.1f}×" for one in sped))
        name = f"batch, simulated, {WORKERS[-1]:,} workers, {what}"
        figures.append(Figure(name, alone * 1000 / sped[-1], "1 worker", alone * 1000, sped[-1], "×"))
    console.print(grid)
    said = f"a worker's start {times.start:.1f} s, a shard without its model {times.calls * 1000:.0f} ms"
    console.print(f"[dim]Simulated with what was measured here: {said}.[/]")
    return figures
