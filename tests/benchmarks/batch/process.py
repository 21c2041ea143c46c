"""Workers as processes, as on Lambda."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

from support.aws.engine import ROOT, Cloud


@dataclass(frozen=True)
class Worked:
    """`shard_seconds` by shard, in order of completion; `seconds` from the start signal to the end of the last."""

    start_seconds: float
    seconds: float
    shard_seconds: list[float]
    peak_bytes: int


def run(cloud: Cloud, queue: str, model: str, processes: int = 1) -> Worked:
    """Run `count` workers until the queue is empty."""
    command = [sys.executable, "-m", "benchmarks.batch.worker", queue, model]
    with ExitStack() as stack:
        started = time.perf_counter()
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=ROOT / "tests",
                    env=cloud.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(processes)
        ]
        for worker in workers:
            assert worker.stdout and worker.stdout.readline() == "ready\n"
        go = time.perf_counter()
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        answers = [
            json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers
        ]  # the line after its metrics
        done = time.perf_counter()
    shard_seconds = [took for answer in answers for took in answer["shard_seconds"]]
    return Worked(go - started, done - go, shard_seconds, max(answer["peak_bytes"] for answer in answers))
