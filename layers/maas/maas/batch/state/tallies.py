"""What a job's shards add up to, in a few rows, so that neither progress nor `max_errors` reads all shards.

The transaction that changes a shard adds the difference to one of the rows, chosen by chance: two that choose the same
row at once conflict, and one of them repeats. A tally is advice: conditions on the rows of shards and job decide how a
job ends.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Self

from maas.aws.writes import Add, Item
from maas.batch.state import job_rows
from maas.batch.state.job_records import BatchJob, Shadowed, Shard, ShardStatus
from maas.metrics.counts import LEAST_POWER

_SHADOWED = ("compared", "mismatched", "failed")  # in attributes shadow_compared, …
_POWER = "p"  # p0 counts the shards whose largest difference is below two to LEAST_POWER, p1 twice that, …
ROWS = 16  # a hundred shards end in a second, each in some ten milliseconds: few choose the same row


@dataclass(frozen=True, slots=True)
class Tally:
    """`split` shards were made of the rest of others; `width` is the part of the range that is done, as the format
    counts; `mb_ms` is the time of all shards, in milliseconds by MB; `updated_at` is when the last one ended.
    `shadow` is the sum of theirs, with the reason of any."""

    split: int = 0
    done: int = 0
    failed: int = 0
    rows: int = 0
    errors: int = 0
    width: int = 0
    mb_ms: int = 0
    updated_at: str = ""
    shadow: Shadowed = field(default_factory=Shadowed)

    @classmethod
    def of(cls, items: Iterable[Item]) -> Self:
        found = list(items)
        sums = {one.name: sum(item.get(one.name, 0) for item in found) for one in fields(cls)[:-2]}
        updated_at = max((item.get("updated_at", "") for item in found), default="")
        return cls(**sums, updated_at=updated_at, shadow=Shadowed.sum(map(_shadowed, found)))


def change(job: BatchJob, before: Shard, after: Shard) -> list[Add]:
    """The write that accounts for a change of a shard, if it changes the tally."""
    amounts = {
        "failed": (after.status is ShardStatus.FAILED) - (before.status is ShardStatus.FAILED),
        "done": (after.status is ShardStatus.DONE) - (before.status is ShardStatus.DONE),
    }
    if amounts["done"]:
        end = after.end if after.agreed_end is None else after.agreed_end
        amounts |= {"rows": after.rows, "errors": after.errors, "width": end - after.start, "split": len(after.rest)}
        amounts["mb_ms"] = after.mb_ms
        if after.shadow:
            amounts |= {f"shadow_{name}": getattr(after.shadow, name) for name in _SHADOWED}
            amounts |= {} if after.shadow.power is None else {f"{_POWER}{after.shadow.power - LEAST_POWER}": 1}
    if not any(amounts.values()):
        return []
    key = job_rows.tally_key(job.id, random.SystemRandom().randrange(ROWS))
    ended = {"updated_at": after.updated_at} if amounts["done"] else {}
    ended |= {"shadow_reason": after.shadow.reason} if after.shadow and after.shadow.reason else {}
    return [Add(key, amounts, ended | {"expires_at": max(job.expires_at, after.expires_at)})]


def _shadowed(item: Item) -> Shadowed:
    powers = [int(name[1:]) + LEAST_POWER for name in item if name[:1] == _POWER and name[1:].isdigit()]
    counted = {name: item.get(f"shadow_{name}", 0) for name in _SHADOWED}
    return Shadowed(**counted, power=max(powers, default=None), reason=item.get("shadow_reason"))
