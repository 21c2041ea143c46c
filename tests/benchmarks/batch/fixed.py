"""What a shard costs besides reading, predicting and writing records: every call to AWS of the worker function, timed.

The shards have a few records of a model that does next to nothing. The function's handler runs in this process, the
stand-ins for AWS in one of their own.
"""

import http.client
import importlib
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.batch.files import FORMATS
from benchmarks.batch.place import Place
from benchmarks.figures import Figure
from maas.aws.clients import client
from maas.batch.locations import DATA
from maas.batch.state.job_records import JobStatus
from maas_local.queues import event_of
from support import networks
from support.aws.engine import ROOT, Cloud
from support.batch.worker_process import Context

SHARDS, ROWS = 40, 8  # a shard
WARM_UP = 5
QUEUE, FILE = "fixed", "fixed.jsonl"
GOAL_MS = 80.0


@dataclass
class Call:
    """`began` and `ended` in seconds of time.perf_counter; `aside` says that the shard went on meanwhile."""

    name: str
    began: float
    aside: bool
    ended: float = 0.0


@dataclass(frozen=True)
class Worked:
    """One shard: seconds on the clock and of CPU, and its calls."""

    began: float
    seconds: float
    cpu_seconds: float
    calls: list[Call]


@contextmanager
def traced() -> Iterator[list[Call]]:
    """The calls of http.client, which boto3 and the signed client both use, within the block."""
    found: list[Call] = []
    kind = http.client.HTTPConnection
    put, header, get = kind.putrequest, kind.putheader, kind.getresponse

    def putrequest(self: Any, method: str, url: str, *rest: Any, **named: Any) -> None:
        name = f"{method} {url.partition('?')[0].rpartition('/')[2]}"
        self.traced = Call(name, time.perf_counter(), threading.current_thread() is not threading.main_thread())
        found.append(self.traced)
        put(self, method, url, *rest, **named)

    def putheader(self: Any, name: str, *values: Any) -> None:
        if name.lower() == "x-amz-target":
            target = values[0].decode() if isinstance(values[0], bytes) else values[0]
            self.traced.name = target.rpartition(".")[2]
        header(self, name, *values)

    def getresponse(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = get(self, *arguments, **named)
        self.traced.ended = time.perf_counter()
        return answer

    patches = {"putrequest": putrequest, "putheader": putheader, "getresponse": getresponse}
    with patch.multiple(kind, **patches):
        yield found


def measure(cloud: Cloud, console: Console) -> list[Figure]:
    cloud.create_model("fixed")
    assert cloud.deploy("fixed", networks.small()).status == "READY"
    place = Place.of(cloud, QUEUE)
    feed = place.worker.dataplane.runner(place.worker.dataplane.resolve("fixed", "1")).inputs[0]
    x = np.random.default_rng(0).random((SHARDS * ROWS, *feed.shape[1:]), np.float32)
    content = FORMATS["jsonl"](x, feed.name)
    place.worker.output.bucket.write(f"{DATA}{FILE}", content)
    job = place.job("fixed", FILE, len(content) // SHARDS)
    worker = _function(replace(cloud, settings=place.settings))
    *shards, last = _worked(place, worker)
    assert place.worker.jobs.get(job.id).status is JobStatus.SUCCEEDED
    shards = sorted(shards[WARM_UP:], key=lambda one: one.seconds)
    for title, one in (("a shard", shards[len(shards) // 2]), ("the last shard of a job", last)):
        console.print(_grid(title, one))
    medians = (statistics.median(times) for times in zip(*((s.seconds, s.cpu_seconds) for s in shards), strict=True))
    note = f"{len(shards)} shards, the quickest in {shards[0].seconds * 1000:.0f} ms"
    return [
        _figure("a shard", *medians, goal=GOAL_MS, note=note),
        _figure("the last shard of a job", last.seconds, last.cpu_seconds),
    ]


def _figure(name: str, seconds: float, cpu_seconds: float, goal: float | None = None, note: str = "") -> Figure:
    clock, cpu = seconds * 1000, cpu_seconds * 1000
    return Figure(f"batch, fixed time of {name}", clock, "its CPU", cpu, clock, " ms", goal=goal, note=note)


def _function(cloud: Cloud) -> ModuleType:
    """The worker function's module, for this cloud."""
    folder = str(ROOT / "functions" / "batch")
    with patch.dict(os.environ, cloud.environment), patch.object(sys, "path", [folder, *sys.path]):
        return importlib.import_module("worker")


def _worked(place: Place, worker: ModuleType) -> Iterator[Worked]:
    """Each shard in the queue, as Lambda's poller has the function work on it."""
    sqs, url = client("sqs", place.settings.region, place.settings.endpoint_url), place.settings.queue_url
    while found := sqs.receive_message(QueueUrl=url, AttributeNames=["All"]).get("Messages"):
        event = event_of(QUEUE, found)
        with traced() as calls:
            began, cpu = time.perf_counter(), time.process_time()
            answer = worker.lambda_handler(event, Context)
            seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        assert answer == {"batchItemFailures": []}, answer
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
        yield Worked(began, seconds, cpu_seconds, calls)


def _grid(title: str, worked: Worked) -> Grid:
    grid = Grid(f"calls of {title}", "begins", "takes", "", box=None, header_style="bold")
    for call in worked.calls:
        times = (call.began - worked.began, call.ended - call.began)
        grid.add_row(call.name, *(f"{one * 1000:.1f} ms" for one in times), "aside" if call.aside else "")
    return grid
