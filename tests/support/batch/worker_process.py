"""One delivery to the worker function in a process that a test may kill: the event comes on standard input."""

import importlib
import json
import subprocess
import sys
from typing import Any

from maas_local.queues import event_of
from support.aws.engine import ROOT, Cloud


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


def start(cloud: Cloud, message: dict[str, Any]) -> subprocess.Popen[str]:
    """Begin the delivery of a message of the queue of shards."""
    event = event_of(cloud.settings.queue_url.rpartition("/")[2], [message])
    process = subprocess.Popen(
        [sys.executable, "-m", "support.batch.worker_process"],
        cwd=ROOT / "tests",
        env=cloud.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    process.stdin.write(json.dumps(event))
    process.stdin.close()
    return process


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "functions" / "batch"))
    print(json.dumps(importlib.import_module("worker").lambda_handler(json.load(sys.stdin), Context)))
