"""A job with more workers than there are here, event by event.

What is assumed beside the measured times: Lambda starts five workers for a queue and then 300 more a minute
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html); DynamoDB writes 1,000 units a second to the
one partition that a job's rows are in, which planning and ending a shard wait for; S3 and SQS have no limit nearby.
"""

import heapq
from dataclasses import dataclass

FIRST_WORKERS, MORE_A_SECOND = 5, 300 / 60
PARTITION_UNITS_A_SECOND = 1000.0
PLAN_UNITS, SHARD_UNITS = 4, 6  # row and mark; the agreed end, the row again and the mark gone, each in a transaction
SENT_A_SECOND = 1000.0  # messages, ten a call of 10 ms
LISTED_A_SECOND = 5000.0  # rows of shards, for the manifest


@dataclass(frozen=True)
class Times:
    """Seconds: to start a worker, and of a shard all but the model's run."""

    start: float
    calls: float


def seconds(workers: int, shards: int, run_seconds: float, times: Times) -> float:
    """From the arrival of the input until `_SUCCESS`."""
    planned = shards * PLAN_UNITS / PARTITION_UNITS_A_SECOND
    free = [planned + max(0.0, (place - FIRST_WORKERS + 1) / MORE_A_SECOND) + times.start for place in range(workers)]
    heapq.heapify(free)
    written = ended = 0.0
    for shard in range(shards):
        queued = planned + shard / SENT_A_SECOND
        ran = max(heapq.heappop(free), queued) + times.calls + run_seconds
        written = max(written, ran) + SHARD_UNITS / PARTITION_UNITS_A_SECOND
        heapq.heappush(free, written)
        ended = max(ended, written)
    return ended + shards / LISTED_A_SECOND
