"""The API's operations on jobs: create, complete, cancel, retry, list results."""

import hashlib
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from maas.aws.s3 import PART_BYTES, ModelBucket, StoredObject, UploadPart
from maas.batch.announcements import Announcements
from maas.batch.job_records import BatchJob, JobRequest, JobResult, JobStatus, Shard
from maas.batch.jobs import Jobs
from maas.batch.locations import DATA, DEFERRED, INPUTS, OUTPUT, REQUEST, RESPONSE, START, UPLOADS, is_marker
from maas.errors import Conflict, InvalidRequest, NotFound, TooLarge
from maas.names import check_file_name
from maas.notices.webhook import check_notify
from maas.records import ModelFile, ModelVersion
from maas.registry import Idempotency
from maas.sweeps import each
from maas.times import canonical

MAX_UPLOAD_BYTES = 100 * 1024**3  # 1,600 parts: the response with their URLs stays below Lambda's 6 MB
MAX_REQUEST_BYTES = 1024**3  # for kind infer: the worker reads the request into memory
MAX_KEY_BYTES = 1024  # S3's limit
MAX_RESULTS = 2500  # in one response, with a URL of about 1.5 kB each
# The suffixes that `formats.format_of` accepts, repeated because that module imports NumPy. Any other upload is refused
# before it is stored: one named like START would wake the planner.
SUFFIXES = (".jsonl", ".csv", ".parquet", ".npy", ".jsonl.gz", ".csv.gz")


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
        job_id, now = _job_id(once), canonical(datetime.now(UTC))
        is_infer = wanted.kind == "infer"
        _check_shadow(version, wanted)
        options = dict(wanted.options)
        if is_infer and wanted.header_length is not None:
            options["header_length"] = str(wanted.header_length)
        upload = wanted.upload
        if upload:
            _check_upload(upload, is_infer)
        stored = None if upload else self._stored(wanted.input or "")
        job = BatchJob(
            id=job_id,
            kind=wanted.kind,
            model=version.model,
            version=version.number,
            input_key=_upload_key(job_id, upload.name, is_infer) if upload else self._key_of(wanted.input or ""),
            output=f"{DEFERRED}{job_id}/" if is_infer else self._output(wanted.output, job_id),
            created_at=now,
            updated_at=now,
            expires_at=int(time.time()) + self.retention_seconds,
            actor=actor,
            status=JobStatus.UPLOADING if upload else JobStatus.PLANNING,
            input_s3_version=stored.s3_version if stored else None,
            input_bytes=upload.size_bytes if upload else stored.size_bytes if stored else 0,
            shard_bytes=self.shard_bytes,
            options=options,
            notify=check_notify(wanted.notify),
            request_digest=once.digest if once else "",
            shadow=wanted.shadow,
        )
        parts = self.bucket.presign(job.input_key, upload.size_bytes, upload.sha256) if upload else []
        made = self.jobs.create(job)
        if made.request_digest != job.request_digest:
            raise Conflict("Idempotency-Key: it was used for another request", field="Idempotency-Key")
        if not upload:
            self._wake_planner(made)
        return made, parts

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

    def _key_of(self, location: str) -> str:
        return location.removeprefix(f"s3://{self.bucket.name}/")

    def _stored(self, location: str) -> StoredObject:
        key = self._key_of(location)
        if not key.startswith(INPUTS):
            raise self._elsewhere("input", location, INPUTS)
        if is_marker(key.rpartition("/")[2]):
            expected = (
                "a file of records: names that begin with '_' or '.' are markers of the tool that wrote the folder"
            )
            raise InvalidRequest(f"input: got {location!r:.200}, expected {expected}", field="input")
        size_bytes = len(key.encode())
        if size_bytes > MAX_KEY_BYTES:
            raise InvalidRequest(
                f"input: got a key of {size_bytes:,} bytes, expected at most {MAX_KEY_BYTES:,}", field="input"
            )
        stored = self.bucket.stored(key)
        if stored is None:
            raise NotFound("object", key)
        return stored

    def _output(self, location: str | None, job_id: str) -> str:
        """A key prefix that ends in a slash."""
        if location is None:
            return f"{OUTPUT}{job_id}/"
        key = self._key_of(location).rstrip("/") + "/"
        if not key.startswith(OUTPUT) or len(key) <= len(OUTPUT):
            raise self._elsewhere("output", location, (OUTPUT,))
        check_file_name(key[:-1], "output")
        return key

    def _elsewhere(self, field: str, came: str, below: tuple[str, ...]) -> InvalidRequest:
        expected = f"s3://{self.bucket.name}/KEY with KEY below {' or '.join(below)}"
        return InvalidRequest(f"{field}: got {came!r:.200}, expected {expected}", field=field)


def _job_id(once: Idempotency | None) -> str:
    if once is None:
        return uuid.uuid4().hex[:20]
    return hashlib.sha256(f"{once.actor}\0{once.key}".encode()).hexdigest()[:20]


def _check_shadow(version: ModelVersion, wanted: JobRequest) -> None:
    if wanted.shadow and wanted.kind == "infer":
        raise InvalidRequest("shadow: got one, expected none for a job of kind infer", field="shadow")
    if wanted.shadow and wanted.shadow.version == version.number:
        expected = "a version other than the job's"
        raise InvalidRequest(f"shadow.version: got {version.number}, expected {expected}", field="shadow.version")


def _check_upload(upload: ModelFile, is_infer: bool) -> None:
    """Raises InvalidRequest for a name without a format's suffix and for an empty request, TooLarge."""
    if is_infer and not upload.size_bytes:
        expected = "an inference request"
        raise InvalidRequest(f"upload.size_bytes: got 0, expected {expected}", field="upload.size_bytes")
    if not is_infer and not upload.name.lower().endswith(SUFFIXES):
        expected = f"a name that ends in one of {', '.join(SUFFIXES)}"
        raise InvalidRequest(f"upload.name: got '{upload.name}', expected {expected}", field="upload.name")
    most, instead = MAX_UPLOAD_BYTES, f"put a larger file below {DATA} with `aws s3 cp` and name it as `input`"
    if is_infer:
        most, instead = MAX_REQUEST_BYTES, "a job of kind batch takes more, as a file of records"
    if upload.size_bytes > most:
        came = f"upload.size_bytes: got {upload.size_bytes:,}, expected at most {most:,}"
        raise TooLarge(f"{came}; {instead}", field="upload.size_bytes")


def _fitting(shards: Sequence[Shard]) -> int:
    """How many of the shards, at least one, fit into a response with all their parts."""
    results = 0
    for index, shard in enumerate(shards):
        results += len(shard.parts)
        if index and results > MAX_RESULTS:
            return index
    return len(shards)


def _upload_key(job_id: str, name: str, is_infer: bool) -> str:
    if is_infer:
        return f"{DEFERRED}{job_id}/{REQUEST}"
    return f"{UPLOADS}{job_id}/{check_file_name(name, 'upload.name').rpartition('/')[2]}"
