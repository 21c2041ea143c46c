"""An input object as the formats read it: ranges of one version of it."""

from dataclasses import dataclass

from maas.aws.s3_reader import S3Reader
from maas.batch.job_records import BatchJob


@dataclass(frozen=True, slots=True)
class S3Source:
    """`job` is whose input it is: where the bucket keeps no versions, another's may have other bytes under the key."""

    reader: S3Reader
    job: str
    key: str
    size_bytes: int
    s3_version: str | None

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end) of the version that the job was made for. Raises NotFound, ServiceUnavailable."""
        end = min(end, self.size_bytes)
        return self.reader.read_range(self.key, start, end, self.s3_version) if start < end else b""


def source_of(job: BatchJob, reader: S3Reader) -> S3Source:
    return S3Source(reader, job.id, job.input_key, job.input_bytes, job.input_s3_version)
