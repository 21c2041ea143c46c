"""Works on one shard: reads its range, predicts in large batches, writes one part for each output file.

The number of deliveries does not change the result. A shard that would exceed its time or the size of a part ends
early: its part covers what was done, and the rest of its range becomes new shards.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

from maas.aws.s3_reader import S3Reader
from maas.aws.sqs import Queue
from maas.batch import formats
from maas.batch.announcements import Announcements
from maas.batch.formats import Chunk, Options
from maas.batch.job_end import JobEnd
from maas.batch.job_output import JobOutput
from maas.batch.locations import RESPONSE
from maas.batch.predicting import OneBehind, Predictor, batch_rows, one_ahead, row_ms, selected
from maas.batch.s3_source import source_of
from maas.batch.shadowing import JobShadow, reason_of
from maas.batch.state.job_records import BatchJob, JobStatus, Shadowed, Shard, ShardStatus
from maas.batch.state.jobs import Jobs
from maas.errors import (
    ArtifactCorrupt,
    Contended,
    InvalidRequest,
    MaasError,
    NotFound,
    RunFailed,
    ServiceUnavailable,
    TooLarge,
)
from maas.metrics.counters import Counters
from maas.serving.dataplane import DataPlane
from maas.serving.served_model import ServedModel
from maas.telemetry.observability import count

MAX_PART_BYTES = 128 << 20  # a part stays in memory until it is written
PIECES = 8  # shards that the rest of a shard is cut into
MAX_REASON = 500  # characters of a record's error in the shard's row
LOOK_SECONDS = 15  # between two reads of the job's status
HEADER_LENGTH = "maas-header-length"  # metadata of an answer: the length of its JSON, in bytes
FIRST_SHARE = 0.6  # share of the time limit for a first attempt, so that a full retry still fits
_REFUSED = (InvalidRequest, RunFailed, TooLarge)
_TRY_AGAIN = (ServiceUnavailable, Contended, ArtifactCorrupt)


class Predicted(NamedTuple):
    """`end` is where reading stopped; `files` are the part's files by suffix; `reason` is the first record's error;
    `run_seconds` is what the model took, `shadow` what its shadow did."""

    end: int
    rows: int
    errors: int
    reason: str | None
    files: dict[str, bytes]
    run_seconds: float
    shadow: Shadowed | None


class NotWanted(Exception):
    """The job ended while one of its shards was running."""


class _Pace:
    """How long chunks take, the wait for them included, and so when their part has to end.

    `limit` is of time.monotonic; infinite for a part whose end is agreed.
    """

    def __init__(self, limit: float) -> None:
        self._limit, self._slowest = limit, 0.0
        self._now = self._looked = time.monotonic()

    def chunk_done(self) -> None:
        now = time.monotonic()
        self._slowest, self._now = max(self._slowest, now - self._now), now

    def is_look_due(self) -> bool:
        """Whether to read the job's status, every LOOK_SECONDS."""
        if self._now - self._looked <= LOOK_SECONDS:
            return False
        self._looked = self._now
        return True

    def has_to_end(self, size_bytes: int) -> bool:
        """Whether the part has no time or room for one more chunk."""
        full = size_bytes > MAX_PART_BYTES and self._limit != float("inf")
        return full or self._now + 2 * self._slowest > self._limit


@dataclass(frozen=True, slots=True)
class Worker:
    jobs: Jobs
    dataplane: DataPlane
    reader: S3Reader
    queue: Queue
    output: JobOutput
    job_end: JobEnd
    announcements: Announcements
    counters: Counters

    def work(self, job_id: str, shard_name: str, deadline: float, received: int = 1) -> BatchJob:
        """Work on the shard unless it is DONE; returns the job as it is then.

        `deadline` (time.monotonic) limits an `infer` job and a repeated attempt; a first attempt at a shard ends
        earlier. `received` counts deliveries of the message. Any exception means that it has to be delivered again;
        its reason is stored with the shard, for the case that this was the last delivery.
        """
        began = time.monotonic()
        job, shard = self.jobs.job_and_shard(job_id, shard_name)
        if job.status not in (JobStatus.RUNNING, JobStatus.FINISHING):  # cancelled, or ended by another delivery
            return self.announcements.announce(job)
        limit = began + FIRST_SHARE * (deadline - began)
        try:
            if job.kind == "infer":
                return self._answer(job, deadline)
            if shard is None:
                raise NotFound("shard", shard_name, of=job_id)
            if shard.status is not ShardStatus.DONE:
                shard = self._done(job, shard, limit, received)
            return self.job_end.settle(job, shard, self.queue)
        except NotWanted:
            return self.announcements.announce(self.jobs.get(job_id))
        except Exception as error:
            if isinstance(error, MaasError) and not isinstance(error, _TRY_AGAIN):
                return self.job_end.fail(job_id, error.message, job.run)  # a repeat would fail alike
            if shard_name:
                self.jobs.shards.set_status(job, shard_name, ShardStatus.PENDING, reason_of(error))
            raise

    def _done(self, job: BatchJob, shard: Shard, limit: float, received: int) -> Shard:
        began = time.monotonic()
        resolved = self.dataplane.resolve(job.model, str(job.version))
        runner = self.dataplane.runner(resolved, parameters=job.options.get("parameters"))
        shadow = JobShadow(job, self.dataplane, limit, received) if job.shadow else None
        end = shard.end if shard.agreed_end is None else shard.agreed_end
        limit = limit if shard.agreed_end is None else float("inf")
        with ThreadPoolExecutor(1, "agreement") as pool:
            agreement: list[Future[Shard]] = []

            def agree(end: int) -> None:
                if not agreement:
                    agreement.append(pool.submit(self.jobs.shards.agree, job, shard, end))

            found = self._predicted(job, runner, shard.start, end, limit, agree, shadow)
            agree(found.end)
            shard = agreement[0].result()
        agreed = shard.agreed_end
        assert agreed is not None
        if agreed != found.end:  # another delivery stopped elsewhere and may have written its part: its end counts
            found = self._predicted(job, runner, shard.start, agreed, float("inf"), agree, shadow)
        parts = self.output.write_parts(job, shard, found.files)
        rest = self._pieces(job, shard, found.end) if found.end < shard.end else []
        done = replace(
            shard,
            status=ShardStatus.DONE,
            agreed_end=found.end,
            parts=parts,
            rest=tuple(one.name for one in rest),
            rows=found.rows,
            errors=found.errors,
            reason=found.reason,
            mb_ms=self.counters.mb_ms(time.monotonic() - began),
            shadow=found.shadow,
        )
        finished = self.jobs.shards.finish(job, shard, done, rest)
        count("Records", done.rows)
        count("RecordErrors", done.errors)
        self.counters.count_shard(job.model, job.version, done.rows, done.errors, found.run_seconds, done.mb_ms)
        return finished

    def _pieces(self, job: BatchJob, shard: Shard, start: int) -> list[Shard]:
        source = source_of(job, self.reader)
        ranges = formats.pieces(job.format, source, job.layout, start, shard.end, PIECES)
        return [shard.piece(index, *bounds) for index, bounds in enumerate(ranges)]

    def _chunks(self, job: BatchJob, runner: ServedModel, start: int, end: int) -> Iterator[Chunk]:
        reader = formats.reader(job.format, job.layout, Options.of(job.options), runner.inputs)
        version = self.dataplane.resolve(job.model, str(job.version)).version
        rows = batch_rows(runner.inputs, job.options.get("batch_size"), row_ms(version))
        return reader.chunks(source_of(job, self.reader), start, end, rows)

    def _predicted(
        self,
        job: BatchJob,
        runner: ServedModel,
        start: int,
        end: int,
        limit: float,
        agree: Callable[[int], None],
        shadow: JobShadow | None,
    ) -> Predicted:
        """Calls `agree` with `end` once the last chunk is there: from then on the part cannot end earlier."""
        options = Options.of(job.options)
        outputs = selected(runner, options.select)
        predictor = Predictor(runner, [tensor.name for tensor in outputs])
        if shadow:
            shadow.begin([tensor.name for tensor in outputs])
        writer = formats.writer(job.format, job.layout, options, outputs)
        rows = errors = 0
        reason: str | None = None
        run_seconds, pace = 0.0, _Pace(limit)
        with OneBehind() as writing:  # a part is written while the model runs on the next chunk
            for chunk in one_ahead(self._chunks(job, runner, start, end)):
                if chunk.end >= end:
                    agree(end)
                started = time.monotonic()
                predicted, failed = predictor.predict(chunk)
                run_seconds += time.monotonic() - started
                writing.call(writer.add, chunk, predicted, failed)
                if shadow:
                    shadow.compare(chunk, predicted, failed)
                rows, errors = rows + chunk.rows, errors + len(failed)
                if failed and reason is None:
                    reason = failed[min(failed)][:MAX_REASON]
                pace.chunk_done()
                if pace.is_look_due() and self.jobs.get(job.id).status is not JobStatus.RUNNING:
                    raise NotWanted
                if chunk.end < end and pace.has_to_end(writer.size_bytes):
                    end = chunk.end
                    break
            writing.wait()
        return Predicted(end, rows, errors, reason, writer.finish(), run_seconds, shadow.found if shadow else None)

    def _answer(self, job: BatchJob, deadline: float) -> BatchJob:
        """Answer the stored request of an `infer` job; the answer is written beside it."""
        body = source_of(job, self.reader).read(0, job.input_bytes)
        length = job.options.get("header_length")
        with self.counters.inference(_REFUSED) as seen:
            reply = self.dataplane.infer(job.model, str(job.version), body, length, deadline)
            seen.bytes_in, seen.bytes_out = len(body), len(reply.body)
        metadata = {} if reply.header_length is None else {HEADER_LENGTH: str(reply.header_length)}
        found = self.output.write_once(job, RESPONSE, reply.body, metadata).metadata.get(HEADER_LENGTH)
        options = job.options | {"response_header_length": None if found is None else int(found)}
        job = self.jobs.move(job, JobStatus.SUCCEEDED, [JobStatus.RUNNING], options=options)
        return self.announcements.announce(job)
