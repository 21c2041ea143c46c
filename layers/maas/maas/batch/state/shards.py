"""Stores the shards of jobs in the registry's table and holds the rules for their changes.

Every change is conditional on the row that was read, so repeated, late and concurrent messages change nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from maas.aws.dynamodb import Table, WriteConflict
from maas.aws.writes import Delete, Item, Write
from maas.batch.state import adding, job_rows, tallies
from maas.batch.state.job_records import BatchJob, Shard, ShardStatus
from maas.batch.state.tallies import Tally
from maas.errors import Contended, NotFound
from maas.registry.state.ledger import attempts
from maas.times import time_after

PAGE = 500


class Shards:
    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, job: BatchJob, shards: Sequence[Shard]) -> None:
        """Store those that are not stored yet. Raises Conflict if a stored one has another range."""
        adding.add(self._table, job, shards)

    def get(self, job_id: str, name: str) -> Shard:
        """Raises NotFound."""
        item = self._table.get(job_rows.shard_key(job_id, name))
        if item is None:
            raise NotFound("shard", name, of=job_id)
        return Shard.of(item)

    def all(self, job_id: str) -> Iterator[Shard]:
        """In the input's order."""
        yield from (Shard.of(item) for item in self._items(job_id, "S#"))

    def page(self, job_id: str, limit: int, after: str | None) -> tuple[list[Shard], str | None]:
        """In the input's order."""
        items, last = self._table.query(f"J#{job_id}", "S#", limit=limit, after=after)
        return [Shard.of(item) for item in items], last

    def pending(self, job_id: str) -> Iterator[str]:
        """Names of the stored shards that are not done, in the input's order."""
        yield from (item["name"] for item in self._items(job_id, "P#") if "name" in item)

    def all_done(self, job_id: str) -> bool:
        """Whether no stored shard is pending and none is to be stored yet."""
        return not self._table.keys(f"J#{job_id}", "P#", limit=1)

    def reset_failed(self, job: BatchJob) -> None:
        """Set the shards that FAILED to PENDING, for another run."""
        for shard in self.all(job.id):
            if shard.status is ShardStatus.FAILED:
                self.set_status(job, shard.name, ShardStatus.PENDING, None)

    def tally(self, job_id: str) -> Tally:
        """What the job's shards add up to, whatever their number, in one read."""
        return Tally.of(self._items(job_id, "C#"))

    def agree(self, job: BatchJob, shard: Shard, end: int) -> Shard:
        """Set where the shard's part ends, unless another delivery did; returns the shard. Raises Contended."""

        def decide(found: Shard) -> Shard | None:
            return replace(found, agreed_end=end) if found.agreed_end is None else None

        return self._change(job, shard, decide)

    def finish(self, job: BatchJob, shard: Shard, done: Shard, rest: Sequence[Shard]) -> Shard:
        """Store the shard as `done` and its rest as new shards, in one transaction; returns the shard as stored, by
        another delivery if it was first. Raises NotFound, Contended."""

        def decide(found: Shard) -> Shard | None:
            if found.status is ShardStatus.DONE:
                return None
            return replace(done, updated_at=time_after(found.updated_at), unknown=found.unknown)

        def also(found: Shard) -> list[Write]:
            kept = [replace(one, expires_at=found.expires_at) for one in rest]
            return [
                Delete(job_rows.pending_key(job.id, done.name)),
                *(row for one in kept for row in job_rows.new(job, one)),
            ]

        return self._change(job, shard, decide, also)

    def set_status(self, job: BatchJob, name: str, status: ShardStatus, reason: str | None) -> Shard:
        """Set FAILED or PENDING; a shard that is DONE stays DONE. Raises NotFound, Contended."""

        def decide(shard: Shard) -> Shard | None:
            same = (shard.status, shard.reason) == (status, reason)
            return None if same or shard.status is ShardStatus.DONE else replace(shard, status=status, reason=reason)

        return self._change(job, self.get(job.id, name), decide)

    def _change(
        self,
        job: BatchJob,
        shard: Shard,
        decide: Callable[[Shard], Shard | None],
        also: Callable[[Shard], Sequence[Write]] = lambda _: (),
    ) -> Shard:
        """`shard` as last read: if it changed since, it is read again."""
        for _ in attempts():
            wanted = decide(shard)
            if wanted is None:
                return shard
            changed = replace(wanted, revision=shard.revision + 1, expires_at=shard.expires_at)
            put = job_rows.put(job, changed, shard.revision)
            further = [*also(changed), *tallies.change(job, shard, changed)]
            try:
                if further:
                    self._table.write([put, *further])
                else:
                    self._table.put(put)
                return changed
            except WriteConflict:
                shard = self.get(job.id, shard.name)
        raise Contended(job.id)

    def _items(self, job_id: str, prefix: str) -> Iterator[Item]:
        return self._table.items(f"J#{job_id}", prefix, page=PAGE)
