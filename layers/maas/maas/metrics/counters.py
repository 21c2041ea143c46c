"""The counters of one execution environment, and their way into the table.

Counting only keeps what was seen. `flush`, which runs after an answer, adds it up and adds that to rows of minutes: a
transaction with a token, so that a repeat after a lost answer adds nothing. What was certainly not written is counted
again with what comes; what may have been written is sent again with its token while DynamoDB knows it.
"""

import logging
import os
import random
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from maas.aws.dynamodb import CallFailed, Table, WriteConflict
from maas.aws.writes import Add, Key
from maas.errors import MaasError
from maas.metrics import counter_rows
from maas.metrics.counter_rows import SHARDS, Cell, Step
from maas.metrics.counts import Counts
from maas.metrics.histogram import bucket_of
from maas.telemetry.observation import Observation, failed, observing

FLUSH_SECONDS = 10
CELLS_A_TRANSACTION = 5  # with the marks of their hours; DynamoDB charges by rows, and larger ones conflict more
MAX_SEEN = 5000  # inferences that wait to be added up
MAX_CELLS = 2000  # of versions, aliases and minutes that wait, if DynamoDB does not answer for long
MAX_UNSENT = 100  # transactions
TOKEN_SECONDS = 9 * 60  # DynamoDB knows a token for ten minutes
TRIES, LONGEST_PAUSE_SECONDS = 3, 0.05  # after a conflict with another environment
NS_PER_MINUTE, NS_PER_MS, NS_PER_US = 60_000_000_000, 1_000_000, 1000
_Key = tuple[str, int, str, int]  # model, version, alias, minute since 1970
# Cell, latency (ns), status and class of a failure, cold, rows, run (ns), bytes in, bytes out.
# A tuple, as an Observation may hold a request's tensors.
_Seen = tuple[_Key, int, tuple[int, str] | None, bool, int, int, int, int]
_log = logging.getLogger(__name__)


class _Unsent(NamedTuple):
    token: str
    cells: Mapping[_Key, Counts]
    until: float  # of time.monotonic


class Counters:
    """`init_ms` is the time that Lambda bills for the start of this environment."""

    def __init__(self, table: Table, memory_mb: int, init_ms: int = 0) -> None:
        self._table, self._memory_mb, self._init_ms = table, memory_mb, init_ms
        self._seen: deque[_Seen] = deque()
        self._cells: dict[_Key, Counts] = {}
        self._unsent: list[_Unsent] = []
        self._marked: set[Key] = set()
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._shard: int | None = None
        self._dropped = 0  # requests and shards

    def count(self, seen: Observation) -> None:
        """Count an inference. It is added up when counters are written, off the caller's path."""
        version, stage = seen.version, seen.stage
        if version is None or stage is None:
            return
        cell = version.model, version.number, seen.alias or "", seen.now_ns // NS_PER_MINUTE
        failure = (seen.status, seen.error) if seen.status >= 400 else None
        run_ns = stage.ns.get("compute_infer", 0)
        self._seen.append(
            (cell, seen.elapsed_ns, failure, stage.cold, stage.rows, run_ns, seen.bytes_in, seen.bytes_out)
        )
        if len(self._seen) > MAX_SEEN:
            self._add_up()

    def _add_up(self) -> None:
        while self._seen:
            try:
                seen = self._seen.popleft()
            except IndexError:  # another thread took the last one
                return
            with self._lock:
                self._add(*seen)

    def _add(
        self,
        key: _Key,
        elapsed_ns: int,
        failure: tuple[int, str] | None,
        cold: bool,
        rows: int,
        run_ns: int,
        bytes_in: int,
        bytes_out: int,
    ) -> None:
        counts = self._cells.get(key) or self._new(key)
        counts.requests += 1
        if failure is None:
            counts.success_us += elapsed_ns // NS_PER_US
        else:
            status, reason = failure
            counts.fail_us += elapsed_ns // NS_PER_US
            counts.refused += status < 500
            counts.errors += status >= 500
            counts.reasons[reason] = counts.reasons.get(reason, 0) + 1
        bucket = bucket_of(elapsed_ns)
        counts.histogram[bucket] = counts.histogram.get(bucket, 0) + 1
        counts.cold_loads += cold
        counts.rows += rows
        counts.compute_us += run_ns // NS_PER_US
        counts.bytes_in += bytes_in
        counts.bytes_out += bytes_out
        billed_ms = -(-elapsed_ns // NS_PER_MS) + self._init_ms
        self._init_ms = 0
        counts.billed_ms += billed_ms
        counts.mb_ms += billed_ms * self._memory_mb

    @contextmanager
    def inference(self, refused: tuple[type[Exception], ...]) -> Iterator[Observation]:
        """Count the block's inference, outside of an HTTP request; an error of a class in `refused` is the caller's."""
        seen, started_ns = Observation({}), time.perf_counter_ns()
        with observing(seen):
            try:
                yield seen
                seen.status = 200
            except Exception as error:
                failed(error)
                seen.status = 400 if isinstance(error, refused) else 500
                raise
            finally:
                seen.now_ns, seen.elapsed_ns = time.time_ns(), time.perf_counter_ns() - started_ns
                self.count(seen)

    def mb_ms(self, seconds: float) -> int:
        """What Lambda bills for this time, as milliseconds by MB."""
        return -(-int(seconds * 1_000_000) // 1000) * self._memory_mb

    def count_shard(self, model: str, version: int, records: int, errors: int, compute_s: float, mb_ms: int) -> None:
        """Count a shard of a batch job that this environment did."""
        key = (model, version, "", time.time_ns() // NS_PER_MINUTE)
        with self._lock:
            counts = self._cells.get(key) or self._new(key)
            counts.shards += 1
            counts.records += records
            counts.record_errors += errors
            counts.compute_us += int(compute_s * 1_000_000)
            counts.batch_mb_ms += mb_ms

    def count_samples(self, model: str, version: int, alias: str, samples: Counts) -> None:
        """Count what became of requests that were sampled."""
        key = (model, version, alias, time.time_ns() // NS_PER_MINUTE)
        with self._lock:
            (self._cells.get(key) or self._new(key)).add(samples)

    def _new(self, key: _Key) -> Counts:
        if len(self._cells) >= MAX_CELLS:
            self._dropped += 1
            return Counts()
        return self._cells.setdefault(key, Counts())

    def flush(self) -> None:
        """Add what was counted to the table; what cannot be written now is kept."""
        with self._flushing:
            self._flush()

    def _flush(self) -> None:
        self._add_up()
        if self._shard is None:  # not at the start: environments restored from one snapshot would share it
            self._shard = random.SystemRandom().randrange(SHARDS)
        with self._lock:
            cells, self._cells = list(self._cells.items()), {}
            dropped, self._dropped = self._dropped, 0
        until = time.monotonic() + TOKEN_SECONDS
        for start in range(0, len(cells), CELLS_A_TRANSACTION):
            self._unsent.append(_Unsent(os.urandom(16).hex(), dict(cells[start : start + CELLS_A_TRANSACTION]), until))
        while self._unsent and self._is_settled(self._unsent[0]):
            self._unsent.pop(0)
        if (beyond := len(self._unsent) - MAX_UNSENT) > 0:
            _lost(self._unsent[:beyond])
            del self._unsent[:beyond]
        if dropped:
            _log.error("counters: %d requests or shards beyond what can wait are not counted", dropped)

    def _is_settled(self, unsent: _Unsent) -> bool:
        """Whether nothing of it is left to send with its token; then DynamoDB answers, and the next one can follow."""
        if time.monotonic() > unsent.until:
            _lost([unsent])
            return True
        try:
            self._send(unsent)
        except (WriteConflict, CallFailed) as error:
            _log.warning("counters: not written yet: %r", error)
            self._count_again(unsent.cells)
        except MaasError as error:  # it may have been written
            _log.warning("counters: perhaps not written yet: %s", error)
            return False
        return True

    def _send(self, unsent: _Unsent) -> None:
        marks = self._marks(unsent.cells)
        writes = [*map(self._row, unsent.cells.items()), *marks]
        for attempt in range(TRIES):
            try:
                self._table.write(writes, unsent.token)
                break
            except WriteConflict:
                if attempt + 1 == TRIES:
                    raise
                time.sleep(random.SystemRandom().uniform(0, LONGEST_PAUSE_SECONDS))
        if len(self._marked) > MAX_CELLS:
            self._marked.clear()
        self._marked.update(mark.key for mark in marks)

    def _row(self, cell: tuple[_Key, Counts]) -> Add:
        (model, version, alias, minute), counts = cell
        start = _time(minute)
        key = counter_rows.sort_key(Step.MINUTE, Cell(start, version, alias))
        expires = {"expires_at": Step.MINUTE.expires_at(start)}
        return Add((counter_rows.partition(model, self._shard), key), counts.attributes(), expires)

    def _marks(self, cells: Iterable[_Key]) -> list[Add]:
        """Rows that say which models have counters in which hour, where this environment has not said so yet."""
        assert self._shard is not None
        hours = {counter_rows.active_key(_time(minute), model, self._shard): minute for model, _, _, minute in cells}
        return [
            Add(key, {"environments": 1}, {"expires_at": Step.MINUTE.expires_at(_time(minute))})
            for key, minute in hours.items()
            if key not in self._marked
        ]

    def _count_again(self, cells: Mapping[_Key, Counts]) -> None:
        with self._lock:
            for key, counts in cells.items():
                (self._cells.get(key) or self._new(key)).add(counts)


def _lost(unsent: Iterable[_Unsent]) -> None:
    rows = sum(len(one.cells) for one in unsent)
    _log.error("counters: %d rows are lost, DynamoDB did not answer", rows)


def _time(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
