"""`Prefer: respond-async`: stores an inference request in the bucket, to be answered beyond the limits of a call."""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from maas.aws.s3_writer import S3Writer
from maas.batch.locations import DEFERRED, REQUEST
from maas.batch.state.job_records import BatchJob, JobStatus
from maas.batch.state.jobs import Jobs
from maas.errors import InvalidRequest
from maas.notices.webhook import check_notify
from maas.records import ModelVersion
from maas.times import canonical


@dataclass(frozen=True, slots=True)
class Deferred:
    jobs: Jobs
    writer: S3Writer
    retention_seconds: int

    def submit(
        self, version: ModelVersion, body: bytes, header_length: str | None, actor: str, notify: str | None = None
    ) -> BatchJob:
        """Create the job that answers the request with this version. Raises InvalidRequest, ServiceUnavailable."""
        job_id, now = uuid.uuid4().hex[:20], canonical(datetime.now(UTC))
        folder = f"{DEFERRED}{job_id}/"
        job = BatchJob(
            id=job_id,
            kind="infer",
            model=version.model,
            version=version.number,
            input_key=folder + REQUEST,
            output=folder,
            created_at=now,
            updated_at=now,
            expires_at=int(time.time()) + self.retention_seconds,
            actor=actor,
            status=JobStatus.UPLOADING,
            input_bytes=len(body),
            options={} if header_length is None else {"header_length": header_length},
            notify=check_notify(notify),
        )
        if not body:
            raise InvalidRequest("body: got nothing, expected an inference request", field="body")
        self.jobs.create(job)
        self.writer.put_new(job.input_key, body)
        return job
