"""One worker: `python -m benchmarks.batch.worker QUEUE MODEL`.

Loads the model, prints "ready", waits for a line on stdin, works until the queue is empty, prints its times as JSON.
"""

import json
import sys
import time
from dataclasses import replace

from benchmarks.batch.place import Place
from maas.deployment.inspection import peak_memory_bytes
from maas.settings import Settings
from support.aws.engine import Cloud


def main() -> None:
    queue, model = sys.argv[1:]
    cloud = Cloud(replace(Settings.from_env(), memory_mb=1769))
    place = Place.of(cloud, queue)
    place.worker.dataplane.runner(place.worker.dataplane.resolve(model, "1"))
    print("ready", flush=True)
    sys.stdin.readline()
    shard_seconds = []
    for message in place.messages():
        started = time.perf_counter()
        place.worker.work(message["job"], message["shard"], time.monotonic() + 900)
        shard_seconds.append(time.perf_counter() - started)
    print(json.dumps({"shard_seconds": shard_seconds, "peak_bytes": peak_memory_bytes()}))


if __name__ == "__main__":
    main()
