"""Stores the shards of a plan; stored ones stay, since a plan may be repeated, also by two planners at once."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from maas.aws.dynamodb import Table, WriteConflict
from maas.aws.writes import Write
from maas.batch.state import job_rows
from maas.batch.state.job_records import BatchJob, Shard
from maas.errors import Conflict, Contended, ServiceUnavailable

SHARDS_A_TRANSACTION, PARALLEL = 5, 8  # DynamoDB charges a transaction by rows: larger ones gain nothing
TRIES, FIRST_PAUSE_SECONDS = 6, 0.2  # for a throttled transaction, before the whole plan is repeated


def add(table: Table, job: BatchJob, shards: Sequence[Shard]) -> None:
    """Store those that are not stored yet. Raises Conflict if a stored one has another range, Contended."""
    some = [shards[start : start + SHARDS_A_TRANSACTION] for start in range(0, len(shards), SHARDS_A_TRANSACTION)]
    if len(some) == 1:
        _add(table, job, some[0])
        return
    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in pool.map(lambda one: _add(table, job, one), some):
            pass


def _add(table: Table, job: BatchJob, shards: Sequence[Shard]) -> None:
    for _ in range(TRIES):
        try:
            _write_patiently(table, [row for shard in shards for row in job_rows.new(job, shard)])
            return
        except WriteConflict:
            shards = _missing(table, job, shards)
            if not shards:
                return
    raise Contended(job.id, "job")


def _missing(table: Table, job: BatchJob, shards: Sequence[Shard]) -> Sequence[Shard]:
    items = table.get_many([job_rows.shard_key(job.id, shard.name) for shard in shards])
    for shard, item in zip(shards, items, strict=True):
        if item and (item["start"], item["end"]) != (shard.start, shard.end):
            came, planned = (
                f"[{start:,}, {end:,})" for start, end in ((shard.start, shard.end), (item["start"], item["end"]))
            )
            raise Conflict(f"shard {shard.name}: got {came}, expected {planned} as planned before; create another job")
    return [shard for shard, item in zip(shards, items, strict=True) if item is None]


def _write_patiently(table: Table, rows: Sequence[Write]) -> None:
    """Retry while DynamoDB throttles: a new table does not take many thousand rows at once."""
    for number in range(TRIES - 1):
        try:
            table.write(rows)
            return
        except ServiceUnavailable:
            time.sleep(random.SystemRandom().uniform(0, FIRST_PAUSE_SECONDS * 2**number))
    table.write(rows)
