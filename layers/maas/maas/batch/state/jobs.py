"""Stores jobs in the registry's table and holds the rules for their changes; `shards` does so for their shards.

Every change is conditional on the row that was read, so repeated, late and concurrent messages change nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from maas.aws.dynamodb import Table, WriteConflict
from maas.aws.writes import Delete, Item, Put, Write
from maas.batch.state import job_rows, output_folders
from maas.batch.state.job_records import ENDED, OPEN, BatchJob, JobStatus, Shard
from maas.batch.state.shards import Shards
from maas.errors import Conflict, Contended, NotFound
from maas.records import fields_of
from maas.registry.state.ledger import PAGE_CHARACTERS, attempts
from maas.times import time_after

PAGE = 500
READ_AT_ONCE = 100  # jobs of a page
PARALLEL = 8


class Jobs:
    def __init__(self, table: Table) -> None:
        self._table = table
        self.shards = Shards(table)

    def create(self, job: BatchJob) -> BatchJob:
        """Store the job; returns the stored one if it exists.

        Raises Conflict if another job writes to its output folder, into a folder below it or above it.
        """
        output_folders.check(self._table, job)
        rows = [
            Put(job_rows.job_key(job.id), fields_of(job), None),
            job_rows.index(job),
            output_folders.claim(job),
            *([] if job.status in ENDED else [job_rows.open_index(job)]),
        ]
        try:
            self._table.write(rows)
        except WriteConflict:
            made = self._table.get(job_rows.job_key(job.id))
            if made is None or job_rows.has_expired(made):
                raise output_folders.taken(job, job.output) from None
            return BatchJob.of(made)
        try:
            output_folders.check(self._table, job)  # again: of two jobs created at once, at least one sees the other
        except Conflict:
            self._table.delete([row.key for row in rows])
            raise
        return job

    def get(self, job_id: str) -> BatchJob:
        """Raises NotFound, also for an expired job: DynamoDB deletes its rows one by one, in any order."""
        return _unexpired(job_id, self._table.get(job_rows.job_key(job_id)))

    def job_and_shard(self, job_id: str, name: str) -> tuple[BatchJob, Shard | None]:
        """Both in one read, the shard if it is stored. Raises NotFound as `get` does."""
        job, shard = self._table.get_many([job_rows.job_key(job_id), job_rows.shard_key(job_id, name)])
        return _unexpired(job_id, job), Shard.of(shard) if shard else None

    def page(self, limit: int, after: str | None) -> tuple[list[BatchJob], str | None]:
        """Up to `limit` jobs, newest first, and the position to go on after, or None at the end.

        Expired ones are left out. A page ends after PAGE_CHARACTERS, so that an answer can carry it.
        """
        items, last = self._table.query(job_rows.INDEX, "", limit=limit, after=after, newest_first=True)
        found: list[BatchJob] = []
        characters = 0
        for start in range(0, len(items), READ_AT_ONCE):
            keys = [job_rows.job_key(item["id"]) for item in items[start : start + READ_AT_ONCE]]
            for item in self._table.get_many(keys):
                if item is None or job_rows.has_expired(item):
                    continue
                found.append(BatchJob.of(item))
                characters += len(repr(item))
                if characters > PAGE_CHARACTERS:
                    return found, job_rows.index_key(found[-1])[1]
        return found, last

    def change(
        self, known: str | BatchJob, decide: Callable[[BatchJob], BatchJob | None], also: Sequence[Write] = ()
    ) -> BatchJob:
        """Replace the job by what `decide` makes of it, unless that is None; returns the job as it is then.

        `known` is its id, or the job as last read, which saves a read if it is still so. The writes `also` happen in
        the same transaction. Raises NotFound, Contended, and what `decide` raises.
        """
        job = known if isinstance(known, BatchJob) else self.get(known)
        for _ in attempts():
            wanted = decide(job)
            if wanted is None:
                return job
            changed = replace(wanted, revision=job.revision + 1, updated_at=time_after(job.updated_at))
            try:
                self._replace(job, changed, also)
                return changed
            except WriteConflict:
                job = self.get(job.id)
        raise Contended(job.id)

    def _replace(self, job: BatchJob, changed: BatchJob, also: Sequence[Write]) -> None:
        put = Put(job_rows.job_key(job.id), fields_of(changed), job.revision)
        if (job.status in ENDED) != (changed.status in ENDED):
            index = job_rows.open_index(changed)
            also = [*also, Delete(index.key) if changed.status in ENDED else index]
        if also:
            self._table.write([put, *also])
        else:
            self._table.put(put)

    def open(self, before: str) -> Iterator[BatchJob]:
        """Jobs created before that time that have not ended, oldest first."""
        for item in self._table.items(job_rows.OPEN, "", page=PAGE):
            with suppress(NotFound):
                job = self.get(item["id"])
                if job.created_at >= before:
                    return
                yield job

    def prolong(self, job: BatchJob) -> BatchJob:
        """Keep the job and all its rows until its `keep_until`, its own row last: a job is gone once one of its rows
        may be."""
        index, claim, last = job_rows.index(job), output_folders.claim(job), None
        with ThreadPoolExecutor(PARALLEL) as pool:
            while keys := self._table.keys(f"J#{job.id}", "", limit=PAGE, after=last):
                last = keys[-1][1]
                rows = [key for key in keys if key != job_rows.job_key(job.id)]
                list(pool.map(lambda key: self._table.keep(key, job.keep_until), rows))
        for key in (index.key, job_rows.open_index(job).key, claim.key):
            self._table.keep(key, job.keep_until)
        return self.change(
            job.id,
            lambda found: replace(found, expires_at=job.keep_until) if found.expires_at < job.keep_until else None,
        )

    def move(self, known: str | BatchJob, to: JobStatus, allowed: Sequence[JobStatus], **changes: Any) -> BatchJob:
        """Set the status if the current one is allowed; otherwise the job stays as it is. `known` as for `change`."""
        return self.change(known, lambda job: replace(job, status=to, **changes) if job.status in allowed else None)

    def start(self, job_id: str, unplanned: bool, **changes: Any) -> BatchJob:
        """Move from PLANNING to RUNNING; `unplanned` says that not all shards are stored yet."""

        def decide(job: BatchJob) -> BatchJob | None:
            return replace(job, status=JobStatus.RUNNING, **changes) if job.status is JobStatus.PLANNING else None

        return self.change(job_id, decide, [job_rows.unplanned(self.get(job_id))] if unplanned else [])

    def is_unplanned(self, job_id: str) -> bool:
        """Whether some of the job's shards are not stored yet."""
        return self._table.get(job_rows.unplanned_key(job_id)) is not None

    def end_planning(self, job_id: str) -> None:
        self._table.delete([job_rows.unplanned_key(job_id)])

    def cancel(self, job_id: str) -> BatchJob:
        """Raises Conflict for a job that SUCCEEDED, FAILED or is FINISHING."""

        def decide(job: BatchJob) -> BatchJob | None:
            if job.status is JobStatus.CANCELLED:
                return None
            if job.status not in OPEN:
                raise Conflict(f"job '{job_id}' is {job.status}, so there is nothing to cancel")
            return replace(job, status=JobStatus.CANCELLED)

        return self.change(job_id, decide)


def _unexpired(job_id: str, item: Item | None) -> BatchJob:
    if item is None or job_rows.has_expired(item):
        raise NotFound("job", job_id)
    return BatchJob.of(item)
