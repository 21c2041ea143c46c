"""Rows a second of the worker, from S3 to S3, relative to bare onnxruntime with the rows in memory.

Same model, batches, options and one thread; S3's stand-in has the other core. Shard by shard in turn, A B A B …
Beside that: the ratio of CPU times, in which a busy second core is not, and which part of a shard's time the model ran,
in the same seconds.
"""

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.batch.files import FORMATS
from benchmarks.batch.place import Place
from benchmarks.disk_bucket import disk_bucket
from benchmarks.figures import Figure
from maas.batch.formats.blocks import BLOCK_BYTES
from maas.batch.locations import DATA
from maas.batch.predicting import batch_rows, row_ms
from maas.batch.state.job_records import JobStatus
from maas.serving.runner import Runner
from maas_local.demo.classifiers import train
from support import networks
from support.aws.engine import Cloud

ROUNDS = 3
FLOORS = {"npy": 0.95, "parquet": 0.9, "csv": 0.7, "jsonl": 0.6}
BINARY = ("npy", "parquet")


@dataclass(frozen=True)
class Case:
    """`x` are the values of the model's one input, written as a file in each format."""

    name: str
    content: bytes
    x: np.ndarray
    formats: tuple[str, ...]


def cases(folder: Path) -> list[Case]:
    random = np.random.default_rng(0)
    _, _, forest = train(folder)
    million = random.random((1_000_000, 64), np.float32) * 16  # of NPY and Parquet: shards as large as in a large file
    return [
        Case("forest", forest.path.read_bytes(), million, tuple(FORMATS)),
        Case("dense", networks.dense(50), random.random((1 << 14, 64), np.float32), tuple(FORMATS)),
        Case(
            "convolutions",
            networks.convolutions(blocks=4, channels=64),
            random.random((1 << 11, 3, 64, 64), np.float32),
            ("npy",),
        ),
    ]


class Stopwatch:
    """A session that adds up its running time."""

    def __init__(self, session: Any) -> None:
        self._session, self.seconds = session, 0.0

    def run(self, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return self._session.run(*arguments)
        finally:
            self.seconds += time.perf_counter() - started


def measure(cloud: Cloud, folder: Path) -> list[Figure]:
    prefix = f"/{cloud.settings.bucket}/batch/"
    with disk_bucket(cloud.settings.endpoint_url, prefix, folder / "rates") as url:
        place = Place.of(Cloud(replace(cloud.settings, endpoint_url=url)), "rates")
        figures = []
        for case in cases(folder):
            cloud.create_model(case.name)
            version = cloud.deploy(case.name, case.content)
            assert version.status == "READY", version.status_reason
            for format_ in case.formats:
                x = case.x if format_ in BINARY else case.x[: len(case.x) // 4]
                figures.append(_measure(place, case.name, format_, x))
        return [*figures, *_stand_in(place)]


def _measure(place: Place, model: str, format_: str, x: np.ndarray) -> Figure:
    """The median ratio of the shards; times in milliseconds for a thousand rows."""
    runner = place.worker.dataplane.runner(place.worker.dataplane.resolve(model, "1"))
    feed, rows = (
        runner.inputs[0].name,
        batch_rows(runner.inputs, None, row_ms(place.worker.dataplane.resolve(model, "1").version)),
    )
    session = runner._session = Stopwatch(runner._session)
    place.worker.output.bucket.write(f"{DATA}{model}.{format_}", FORMATS[format_](x, feed))
    pairs, cpus, shares = [], [], []
    for _ in range(ROUNDS):
        job = place.job(model, f"{model}.{format_}")
        done = 0
        for message in place.messages():
            session.seconds = 0.0
            ours, our_cpu = _timed(partial(place.worker.work, job.id, message["shard"], time.monotonic() + 900))
            shares.append(session.seconds / ours)
            end = done + place.worker.jobs.shards.get(job.id, message["shard"]).rows
            bare, bare_cpu = _timed(partial(_run, session, feed, x[done:end], rows))
            pairs.append((ours / (end - done), bare / (end - done)))
            cpus.append(bare_cpu / our_cpu)
            done = end
        _check(place, job.id, runner, x, rows)
    ratio = statistics.median(bare / ours for ours, bare in pairs)
    our_ms, bare_ms = (statistics.median(times) * 1e6 for times in zip(*pairs, strict=True))
    note = f"of CPU {statistics.median(cpus):.2f}×; {1e6 / our_ms:,.0f} rows/s"
    note += f"; the model ran {statistics.median(shares):.0%} of the time"
    name = f"batch, {format_}, {model}, 1,000 rows"
    return Figure(name, our_ms, "bare onnxruntime", bare_ms, ratio, "×", note=note, floor=FLOORS[format_])


def _run(session: Any, feed: str, x: np.ndarray, rows: int) -> None:
    for start in range(0, len(x), rows):
        session.run(None, {feed: x[start : start + rows]})


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """The seconds that a call takes, on the clock and of this process's CPU."""
    started, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - started, time.process_time() - cpu


def _check(place: Place, job_id: str, runner: Runner, x: np.ndarray, rows: int) -> None:
    """Assert that the job is complete and, for NPY, that its first batch equals the model's outputs."""
    job, shards = place.worker.jobs.get(job_id), list(place.worker.jobs.shards.all(job_id))
    assert job.status is JobStatus.SUCCEEDED, job.reason
    assert (sum(shard.rows for shard in shards), sum(shard.errors for shard in shards)) == (len(x), 0)
    if job.format == "npy":
        expected = runner.run({runner.inputs[0].name: x[:rows]})
        for tensor, array in zip(runner.outputs, expected, strict=True):
            (key,) = [part.key for part in shards[0].parts if part.key.endswith(f".{tensor.name}.npy")]
            found = np.load(io.BytesIO(place.worker.output.bucket.read(key)))
            assert np.array_equal(found[: len(array)], array), f"{tensor.name}: other values than the model's"


def _stand_in(place: Place) -> list[Figure]:
    """The throughput of the stand-in for S3 alone, in pieces of the size that the worker reads and writes."""
    key, body, bucket = f"{DATA}limit", bytes(4 * BLOCK_BYTES), place.worker.output.bucket
    bucket.write(key, body)
    reader = place.worker.reader
    starts = range(0, len(body), BLOCK_BYTES)
    gets = [_timed(partial(reader.read_range, key, start, start + BLOCK_BYTES, None))[0] for start in starts]
    puts = [_timed(partial(bucket.write, f"{key}-put", body[:BLOCK_BYTES]))[0] for _ in starts]
    figures = []
    for name, took in (("GET", gets), ("PUT", puts)):
        seconds = statistics.median(took)
        speed = BLOCK_BYTES / seconds / 1e6
        figures.append(Figure(f"S3's stand-in alone, {name} of 8 MiB", seconds * 1000, "none", 0, speed, " MB/s"))
    return figures
