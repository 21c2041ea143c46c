"""A worker that is killed from outside, inside the local stack: its shard is done by another one."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maas_client import MaasClient
from maas_local.stack import LocalStack
from support import onnx_models
from support.aws.iam_stack import HOLD_SECONDS
from support.killing import descendants
from support.system import Bucket

pytestmark = pytest.mark.not_on("sam", "cloud", reason="its processes are not on this machine")
ROWS = 20_000  # one by one: some seconds


def workers() -> Iterator[int]:
    """The processes of this test's stack that run the worker function."""
    for pid in descendants(os.getpid()):
        if b"worker.lambda_handler" in Path(f"/proc/{pid}/cmdline").read_bytes():
            yield pid


def in_flight(system: LocalStack) -> bool:
    sqs = system.cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="BatchShards")["QueueUrl"]
    wanted = "ApproximateNumberOfMessagesNotVisible"
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"][wanted] != "0"


@pytest.mark.full
def test_killed_worker_is_replaced(maas: MaasClient, bucket: Bucket, system: LocalStack, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.linear(2.0))
    maas.push(path, "killed-worker")
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": [1, 2, 3]}\n')
    assert maas.jobs.wait(maas.batch("killed-worker", path).id, 120).status == "SUCCEEDED"  # a worker is warm
    path.write_text("".join(f'{{"x": [{row}, 0, 0]}}\n' for row in range(ROWS)))
    job = maas.batch("killed-worker", path, batch_size=1)
    while not in_flight(system):
        time.sleep(0.02)
    time.sleep(1)  # the worker hides the message before it reads a row
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    assert maas.jobs.get(job.id).status == "RUNNING"
    ended = maas.jobs.wait(job.id, 120)
    waited = time.monotonic() - killed_at
    assert ended.status == "SUCCEEDED" and ended.progress and ended.progress.rows == ROWS
    assert waited > HOLD_SECONDS / 2  # the worker renewed it a third of that ago at most
    (part,) = [key for key in bucket.keys(job.output) if "part-" in key]
    assert [json.loads(line)["y"][0] for line in (bucket.get(part) or b"").splitlines()] == [
        2.0 * row for row in range(ROWS)
    ]
