"""The API's operations on jobs: create, complete, cancel, retry, list results."""

import hashlib
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from maas.aws.s3 import PART_BYTES, ModelBucket, UploadPart
from maas.batch import request_checks
from maas.batch.announcements import Announcements
from maas.batch.locations import RESPONSE, START, UPLOADS
from maas.batch.state.job_records import BatchJob, JobRequest, JobResult, JobStatus, Shard
from maas.batch.state.jobs import Jobs
from maas.errors import Conflict, NotFound
from maas.notices.webhook import check_notify
from maas.records import ModelVersion
from maas.registry import Idempotency
from maas.sweeps import each
from maas.times import canonical

MAX_RESULTS = 2500  # in one response, with a URL of about 1.5 kB each


@dataclass(frozen=True, slots=True)
class Submission:
    jobs: Jobs
    bucket: ModelBucket
    announcements: Announcements
    shard_bytes: int
    retention_seconds: int

    def create(
        self, version: ModelVersion, wanted: JobRequest, actor: str, once: Idempotency | None
    ) -> tuple[BatchJob, list[UploadPart]]:
        """The job, and the requests that upload its file, if there is an upload; one job for one idempotency key.

        Raises InvalidRequest, NotFound, Conflict, TooLarge.
        """
        job, upload = self._checked(version, wanted, actor, once), wanted.upload
        parts = self.bucket.presign(job.input_key, upload.size_bytes, upload.sha256) if upload else []
        made = self.jobs.create(job)
        if made.request_digest != job.request_digest:
            raise Conflict("Idempotency-Key: it was used for another request", field="Idempotency-Key")
        if not upload:
            self._wake_planner(made)
        return made, parts

    def _checked(self, version: ModelVersion, wanted: JobRequest, actor: str, once: Idempotency | None) -> BatchJob:
        """The job that is asked for. Raises InvalidRequest, NotFound, TooLarge."""
        request_checks.check_shadow(version, wanted)
        job_id, now = _job_id(once), canonical(datetime.now(UTC))
        upload, options, is_infer = wanted.upload, dict(wanted.options), wanted.kind == "infer"
        if is_infer and wanted.header_length is not None:
            options["header_length"] = str(wanted.header_length)
        if upload:
            request_checks.check_upload(upload, is_infer)
            key = request_checks.upload_key(job_id, upload.name, is_infer)
            size_bytes, s3_version = upload.size_bytes, None
        else:
            key = request_checks.input_key(wanted.input or "", self.bucket.name)
            stored = self.bucket.stored(key)
            if stored is None:
                raise NotFound("object", key)
            size_bytes, s3_version = stored.size_bytes, stored.s3_version
        return BatchJob(
            id=job_id,
            kind=wanted.kind,
            model=version.model,
            version=version.number,
            input_key=key,
            output=request_checks.output_folder(wanted, job_id, self.bucket.name),
            created_at=now,
            updated_at=now,
            expires_at=int(time.time()) + self.retention_seconds,
            actor=actor,
            status=JobStatus.UPLOADING if upload else JobStatus.PLANNING,
            input_s3_version=s3_version,
            input_bytes=size_bytes,
            shard_bytes=self.shard_bytes,
            options=options,
            notify=check_notify(wanted.notify),
            request_digest=once.digest if once else "",
            shadow=wanted.shadow,
        )

    def complete(self, job_id: str) -> BatchJob:
        """Join the parts of a large upload. Raises NotFound, Conflict if a part is missing."""
        job = self.jobs.get(job_id)
        if job.status is not JobStatus.UPLOADING:
            return job
        if job.input_bytes > PART_BYTES and self.bucket.stored(job.input_key) is None:
            self.bucket.finish_multipart(job.input_key, job.input_bytes)
        if self.bucket.stored(job.input_key) is None:
            raise Conflict(f"the upload of job '{job_id}' is not complete", field="upload")
        return job

    def cancel(self, job_id: str) -> BatchJob:
        """The planner announces it: a slow webhook host takes longer than an API call may.

        Raises NotFound, Conflict.
        """
        job = self.jobs.cancel(job_id)
        if job.announced != job.status:
            self._wake_planner(job)
        return job

    def retry(self, job_id: str) -> BatchJob:
        """Run what is missing of a job that FAILED, or that got stuck because messages or its planner were lost; keep
        it for another retention time.

        Raises NotFound, Conflict for a job that SUCCEEDED or was CANCELLED, or whose upload is not complete.
        """
        keep_until = int(time.time()) + self.retention_seconds

        def decide(found: BatchJob) -> BatchJob | None:
            if found.status in (JobStatus.SUCCEEDED, JobStatus.CANCELLED):
                raise Conflict(f"job '{job_id}' is {found.status}: there is nothing to try again")
            found = replace(found, keep_until=keep_until)
            if found.status is JobStatus.FAILED and found.input_s3_version:
                return replace(found, status=JobStatus.PLANNING, reason=None)
            # The sweep fails jobs whose upload never came: they have no input yet.
            return self._with_upload(found) if found.status in (JobStatus.UPLOADING, JobStatus.FAILED) else found

        job = self.announcements.announce(self.jobs.change(job_id, decide))
        self._wake_planner(job)
        return job

    def wake_stuck(self, idle_since: datetime, abandoned_since: datetime, deadline: float) -> Iterator[str]:
        """Wake the planner for each open job that did not change since `idle_since`; yields their ids.

        The planner queues what is missing, so lost messages and events stop no job for ever. A job whose upload is not
        complete FAILS if it was created before `abandoned_since`.

        Continues after a failure; raises an ExceptionGroup of all failures at the end.
        """
        since, abandoned = canonical(idle_since), canonical(abandoned_since)
        woken = partial(self._woken, since=since, abandoned=abandoned)
        yield from each(self.jobs.open(since), lambda job: job.id, woken, deadline, "jobs not woken")

    def _woken(self, job: BatchJob, since: str, abandoned: str) -> bool:
        if max(job.updated_at, self.jobs.shards.tally(job.id).updated_at) >= since:
            return False
        if job.status is JobStatus.UPLOADING:
            try:
                self.jobs.change(job.id, self._arrived)
            except Conflict as error:
                if job.created_at >= abandoned:
                    return False
                self.jobs.move(job.id, JobStatus.FAILED, [JobStatus.UPLOADING], reason=error.message)
        self._wake_planner(job)
        return True

    def _arrived(self, job: BatchJob) -> BatchJob | None:
        return self._with_upload(job) if job.status is JobStatus.UPLOADING else None

    def _with_upload(self, job: BatchJob) -> BatchJob:
        """The job in PLANNING, for an upload whose event was lost. Raises Conflict if it is not complete."""
        stored = self.bucket.stored(job.input_key)
        if stored is None:
            raise Conflict(f"the upload of job '{job.id}' is not complete", field="upload")
        return replace(
            job,
            status=JobStatus.PLANNING,
            reason=None,
            input_s3_version=stored.s3_version,
            input_bytes=stored.size_bytes,
        )

    def shown_results(
        self, job_id: str, limit: int, after: str | None
    ) -> tuple[list[JobResult], int | None, str | None]:
        """Results of up to `limit` shards, the header length of a binary answer, and the position to go on after.

        Raises NotFound, Conflict while an `infer` job has no answer.
        """
        job = self.jobs.get(job_id)
        if job.kind == "infer":
            if job.status is not JobStatus.SUCCEEDED:
                raise Conflict(f"job '{job_id}' is {job.status}" + (f": {job.reason}" if job.reason else ""))
            answer = JobResult(RESPONSE, self.bucket.presign_download(job.output + RESPONSE, None))
            return [answer], job.options["response_header_length"], None
        shards, last = self.jobs.shards.page(job_id, limit, after)
        fitting = _fitting(shards)
        if fitting < len(shards):
            shards, last = self.jobs.shards.page(job_id, fitting, after)
        found = []
        for shard in shards:
            for part in shard.parts:
                name, url = part.key.removeprefix(job.output), self.bucket.presign_download(part.key, None)
                found.append(JobResult(name, url, part.size_bytes, part.sha256, shard.rows))
        return found, None, last

    def _wake_planner(self, job: BatchJob) -> None:
        """Write the object whose event makes the planner read the job and advance it."""
        self.bucket.write(f"{UPLOADS}{job.id}/{START}", b"{}")


def _job_id(once: Idempotency | None) -> str:
    if once is None:
        return uuid.uuid4().hex[:20]
    return hashlib.sha256(f"{once.actor}\0{once.key}".encode()).hexdigest()[:20]


def _fitting(shards: Sequence[Shard]) -> int:
    """How many of the shards, at least one, fit into a response with all their parts."""
    results = 0
    for index, shard in enumerate(shards):
        results += len(shard.parts)
        if index and results > MAX_RESULTS:
            return index
    return len(shards)
