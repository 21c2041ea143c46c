"""Rows of batch jobs in the registry's table.

| pk | sk | what |
|---|---|---|
| `JOBS` | created#id | index of all jobs, by time |
| `JOBS_OPEN` | created#id | index of the jobs that have not ended |
| `J#id` | `JOB` | BatchJob |
| `J#id` | `S#name` | Shard |
| `J#id` | `P#name` | one marker per pending shard; a job without markers is done |
| `J#id` | `P#~` | some of the job's shards are not stored yet, so it cannot be done |
| `J#id` | `C#00` to `C#15` | what the shards add up to: `tallies` |
| `OUTPUTS` | folder | the job that writes to the folder |
"""

import time

from maas.aws.writes import Item, Key, Put, Write
from maas.batch.state.job_records import BatchJob, Shard
from maas.records import fields_of

INDEX, OPEN = "JOBS", "JOBS_OPEN"


def put(job: BatchJob, shard: Shard, revision: int | None) -> Put:
    """Replaces a shard that has this revision; None: stores a new one."""
    return Put(shard_key(job.id, shard.name), fields_of(shard) | {"expires_at": _expires_at(job, shard)}, revision)


def new(job: BatchJob, shard: Shard) -> list[Write]:
    """Stores a new shard and its marker."""
    pending = {"name": shard.name, "expires_at": _expires_at(job, shard)}
    return [put(job, shard, None), Put(pending_key(job.id, shard.name), pending, None)]


def _expires_at(job: BatchJob, shard: Shard) -> int:
    """A worker may have read the job before a retry prolonged its rows."""
    return max(job.expires_at, shard.expires_at)


def index(job: BatchJob) -> Put:
    return Put(index_key(job), {"id": job.id, "expires_at": job.expires_at}, None)


def open_index(job: BatchJob) -> Put:
    return Put((OPEN, f"{job.created_at}#{job.id}"), {"id": job.id, "expires_at": job.expires_at}, None)


def unplanned(job: BatchJob) -> Put:
    return Put(unplanned_key(job.id), {"expires_at": max(job.expires_at, job.keep_until)}, None)


def unplanned_key(job_id: str) -> Key:
    return pending_key(job_id, "~")  # sorts after the names of all shards


def has_expired(item: Item) -> bool:
    return bool(item["expires_at"] <= time.time())


def index_key(job: BatchJob) -> Key:
    return INDEX, f"{job.created_at}#{job.id}"


def job_key(job_id: str) -> Key:
    return f"J#{job_id}", "JOB"


def shard_key(job_id: str, name: str) -> Key:
    return f"J#{job_id}", f"S#{name}"


def tally_key(job_id: str, number: int) -> Key:
    return f"J#{job_id}", f"C#{number:02d}"


def pending_key(job_id: str, name: str) -> Key:
    return f"J#{job_id}", f"P#{name}"
