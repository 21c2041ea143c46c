"""Peak memory of a worker, for a small and a large input."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.batch import process
from benchmarks.batch.files import jsonl
from benchmarks.batch.place import Place
from benchmarks.disk_bucket import disk_bucket
from benchmarks.figures import Figure
from maas.batch.locations import DATA
from maas.batch.state.job_records import JobStatus
from support import networks
from support.aws.engine import Cloud

SMALL_MB, LARGE_MB = 64, 1024
BLOCK_ROWS = 4096
BUDGET = 1.15


def measure(cloud: Cloud, folder: Path) -> list[Figure]:
    cloud.create_model("small")
    assert cloud.deploy("small", networks.small()).status == "READY"
    prefix = f"/{cloud.settings.bucket}/batch/"
    with disk_bucket(cloud.settings.endpoint_url, prefix, folder / "batch") as url:
        on_disk = Cloud(replace(cloud.settings, endpoint_url=url))
        return [_measure(on_disk, format_, folder / f"input.{format_}") for format_ in ("npy", "jsonl")]


def _measure(cloud: Cloud, format_: str, path: Path) -> Figure:
    place = Place.of(cloud, "memory")
    peaks = []
    for megabytes in (SMALL_MB, LARGE_MB):
        with path.open("wb") as file:
            for block in _blocks(format_, megabytes << 20):
                file.write(block)
        name = f"{megabytes}.{format_}"
        place.worker.output.bucket.upload(f"{DATA}{name}", path)
        path.unlink()
        job = place.job("small", name)
        worked = process.run(cloud, "memory", "small")
        job = place.worker.jobs.get(job.id)
        assert job.status is JobStatus.SUCCEEDED, job.reason
        peaks.append(worked.peak_bytes)
    small, large = (f"{peak / 2**20:.0f} MiB" for peak in peaks)
    what = f"memory of a batch worker, {LARGE_MB} MiB of {format_}"
    return Figure(what, 0, f"{SMALL_MB} MiB", 0, peaks[1] / peaks[0], "×", BUDGET, note=f"{large} against {small}")


def _blocks(format_: str, size_bytes: int) -> Iterator[bytes]:
    """The same rows repeated, about `size_bytes` in all."""
    x = np.random.default_rng(0).random((BLOCK_ROWS, 64), np.float32)
    block = x.tobytes() if format_ == "npy" else jsonl(x, "x")
    count = size_bytes // len(block)
    if format_ == "npy":
        yield _header(BLOCK_ROWS * count)
    for _ in range(count):
        yield block


def _header(rows: int) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, 64)})
    return file.getvalue()
