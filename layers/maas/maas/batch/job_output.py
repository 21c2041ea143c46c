"""The objects that a job writes into its output folder, each written once: the first delivery to write wins."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from maas.aws.s3 import Kept, ModelBucket
from maas.batch.state.job_records import BatchJob, Part, Shard
from maas.errors import Conflict

PARALLEL = 4  # a shard of NPY has a part for each output
MARK = "maas-job"  # object metadata: `BatchJob.mark` of the job that wrote the object


@dataclass(frozen=True, slots=True)
class JobOutput:
    bucket: ModelBucket

    def write_parts(self, job: BatchJob, shard: Shard, files: Mapping[str, bytes]) -> tuple[Part, ...]:
        """Write the shard's parts, `files` by suffix; returns them as stored, by another delivery if it was first.

        Raises ServiceUnavailable, Conflict if one of the names holds an object of another job.
        """
        if len(files) == 1:
            ((suffix, body),) = files.items()
            return (self._part(job, shard, suffix, body),)
        with ThreadPoolExecutor(PARALLEL) as pool:
            return tuple(pool.map(lambda suffix: self._part(job, shard, suffix, files[suffix]), sorted(files)))

    def _part(self, job: BatchJob, shard: Shard, suffix: str, body: bytes) -> Part:
        name = f"part-{shard.name}.{suffix}"
        kept = self.write_once(job, name, body)
        return Part(job.output + name, len(kept.body), kept.sha256)

    def write_once(self, job: BatchJob, name: str, body: bytes, metadata: Mapping[str, str] | None = None) -> Kept:
        """Write the object unless the job has it already; returns the stored one.

        Raises ServiceUnavailable, Conflict if the name holds an object of another job, or a user's copy of one.
        """
        kept = self.bucket.write_new(job.output + name, body, {MARK: job.mark, **(metadata or {})})
        if kept.metadata.get(MARK) != job.mark:
            raise Conflict(
                f"output: the folder {job.output} holds '{name}' of another job; name another folder", field="output"
            )
        return kept

    def write_summary(self, job: BatchJob, name: str, body: bytes) -> None:
        """Write, or write again, an object whose bytes follow from the rows of the job and its shards."""
        self.bucket.write(job.output + name, body)
