"""Jobs and shards for tests of their rows."""

import threading
from collections.abc import Callable
from dataclasses import replace

from maas.batch.state.job_records import BatchJob, JobStatus, Part, Shard, ShardStatus, shard_name

NOW = "2026-01-31T12:00:00.000000Z"


def job(number: int = 0, **fields: object) -> BatchJob:
    made = BatchJob(
        id=f"{number:020x}",
        kind="batch",
        model="m",
        version=1,
        input_key="batch/data/x.jsonl",
        output=f"batch/output/{number}/",
        created_at=f"2026-01-31T12:00:{number:02d}.000000Z",
        updated_at=NOW,
        expires_at=4_000_000_000,
        actor="ann",
        status=JobStatus.PLANNING,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def shards(count: int) -> list[Shard]:
    return [Shard(shard_name(index), index * 10, index * 10 + 10) for index in range(count)]


def done(shard: Shard, **fields: object) -> Shard:
    part = Part(f"part-{shard.name}", 3, "0" * 64)
    finished = replace(shard, status=ShardStatus.DONE, agreed_end=shard.end, parts=(part,), rows=10)
    return replace(finished, **fields)  # type: ignore[arg-type]


def at_once(calls: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
