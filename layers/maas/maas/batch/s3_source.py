"""An input object as a source of the formats: reads ranges of one version of the object."""

from dataclasses import dataclass

from maas.aws.s3_reader import S3Reader
from maas.batch.state.job_records import BatchJob


@dataclass(frozen=True, slots=True)
class S3Source:
    """`job` makes sources of two jobs unequal: without bucket versioning one key may hold other bytes for each."""

    reader: S3Reader
    job: str
    key: str
    size_bytes: int
    s3_version: str | None

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end) of the job's version of the object. Raises NotFound, ServiceUnavailable."""
        end = min(end, self.size_bytes)
        return self.reader.read_range(self.key, start, end, self.s3_version) if start < end else b""


def source_of(job: BatchJob, reader: S3Reader) -> S3Source:
    return S3Source(reader, job.id, job.input_key, job.input_bytes, job.input_s3_version)
