"""Simulates a job with more workers than this machine has, event by event.

Assumptions besides the measured times: Lambda starts five workers for a queue and then 300 more a minute, with
provisioned pollers ten for each of the two that wait and then 1,000 more a minute
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html); DynamoDB writes 1,000 units a second to the
one partition that a job's rows are in, which limits planning and the ends of shards; S3 and SQS limit nothing.
"""

import heapq
from dataclasses import dataclass

PARTITION_UNITS_A_SECOND = 1000.0
PLAN_UNITS = 4  # capacity units of a transaction: row and marker
SHARD_UNITS = 7  # agreed end; in a transaction row, deleted marker and counter
SENT_A_SECOND = 1000.0  # messages: ten in a call of 10 ms
FIRST_SHARDS = 500  # `Planner.shards_at_once`: then workers start
LISTED_A_SECOND = 5000.0  # rows of shards, read for the manifest


@dataclass(frozen=True)
class Ramp:
    """Workers that start at once, and how many more start each second."""

    first: int
    more_a_second: float


STANDARD, PROVISIONED = Ramp(5, 300 / 60), Ramp(20, 1000 / 60)


@dataclass(frozen=True)
class Times:
    """Seconds to start a worker, and seconds of a shard besides the model's runs."""

    start: float
    calls: float


def seconds(workers: int, shards: int, run_seconds: float, times: Times, ramp: Ramp = STANDARD) -> float:
    """Seconds from the arrival of the input to `_SUCCESS`."""
    planned = min(shards, FIRST_SHARDS) * PLAN_UNITS / PARTITION_UNITS_A_SECOND
    late = (max(0.0, (place - ramp.first + 1) / ramp.more_a_second) for place in range(workers))
    free = [planned + one + times.start for one in late]
    heapq.heapify(free)
    ends: list[float] = []  # of the shards so far, in order of time: they delay planning, which gets what is left
    written = ended = queued = 0.0
    passed = 0
    for shard in range(shards):
        while passed < len(ends) and ends[passed] <= queued:
            passed += 1
        units = PLAN_UNITS * (shard + 1) + SHARD_UNITS * passed
        queued = max(queued, units / PARTITION_UNITS_A_SECOND, shard / SENT_A_SECOND)
        ran = max(heapq.heappop(free), queued) + times.calls + run_seconds
        written = max(written, ran) + SHARD_UNITS / PARTITION_UNITS_A_SECOND
        ends.append(written)
        heapq.heappush(free, written)
        ended = max(ended, written)
    return ended + shards / LISTED_A_SECOND
