"""Jobs of the management API: batch predictions, from a file to a file."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from maas_client import results, upload
from maas_client.calls import path_of
from maas_client.errors import CannotConnect, InvalidInput, MaasError, ServerFailed
from maas_client.job_records import Job, JobResults, NewJob
from maas_client.model_records import Progress, Upload
from maas_client.transport import pause
from maas_client.upload import LocalFile
from maas_client.versions_client import VersionsClient
from maas_client.watch import Watch

JOBS = "/api/v1/jobs"
RESULTS_PAGE = 200  # shards
COMPLETE_ROUNDS = 3  # of a call's attempts


class JobsClient(VersionsClient):
    def batch(
        self,
        model: str,
        source: str | Path,
        version: str | int | None = None,
        *,
        output: str | None = None,
        columns: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        join: Literal["input"] | None = None,
        select: Sequence[str] | None = None,
        max_errors: int | None = None,
        batch_size: int | None = None,
        notify: str | None = None,
        wait: bool = False,
        progress: Callable[[Progress | Job], None] | None = None,
    ) -> Job:
        """Predict every record of `source`, a file here, which is uploaded, or s3://… in the system's bucket.

        JSONL and CSV (also .gz), NPY or Parquet. `output` is a folder of the bucket, s3://…; one of the job's own if
        not given. `columns` or else `exclude` choose the features of CSV and Parquet, `select` the outputs; `join`
        carries the input's columns along. With more than `max_errors` bad records the job fails. `notify` is told of
        the end: an https URL, or the ARN of an SNS topic. With `wait`, returns as `wait_job` does. `progress` gets
        what is hashed and uploaded, and then the job as it is.
        Raises InvalidInput, UploadFailed; with `wait` also JobFailed.
        """
        options = {
            "columns": columns,
            "exclude": exclude,
            "join": join,
            "select": select,
            "max_errors": max_errors,
            "batch_size": batch_size,
        }
        wanted = {"version": None if version is None else str(version), "output": output, "notify": notify}
        body = {"model": model, "options": _said(options)} | _said(wanted)
        results.format_of(str(source))
        if str(source).startswith("s3://"):
            job = self._create(body | {"input": str(source)}).job
        else:
            job = self._upload(body, Path(source), progress)
        return self.wait_job(job.id, progress=progress) if wait else job

    def jobs(self, limit: int | None = None) -> list[Job]:
        """All jobs, newest first, or the `limit` newest, without their progress."""
        return [Job.of(fields) for fields in self._pages(JOBS, "jobs", limit, {})]

    def job(self, job_id: str) -> Job:
        return Job.of(self._transport.call("GET", _path(job_id)))

    def wait_job(
        self, job_id: str, timeout_seconds: float | None = None, progress: Callable[[Job], None] | None = None
    ) -> Job:
        """The job once it SUCCEEDED. Raises JobFailed, JobCancelled, JobTimedOut; the job itself goes on then."""
        watch = Watch(timeout_seconds)
        while True:
            job = self.job(job_id)
            if progress:
                progress(job)
            pause = watch.pause_after(job)
            if pause is None:
                return job
            time.sleep(pause)

    def cancel_job(self, job_id: str) -> Job:
        """What is done stays. Raises Conflict if it has ended otherwise."""
        return Job.of(self._transport.call("DELETE", _path(job_id), repeatable=True))

    def retry_job(self, job_id: str) -> Job:
        """Run what is missing of a job that FAILED. Raises Conflict for any other."""
        return Job.of(self._transport.call("POST", _path(job_id, "retry")))

    def job_results(self, job_id: str) -> JobResults:
        """The parts of its output, those there are, each with a URL to get it from."""
        path, query = _path(job_id, "results"), {"limit": str(RESULTS_PAGE)}
        answer = self._transport.call("GET", path, query=query)
        found, token = answer["results"], answer["next_page_token"]
        while token:
            page = self._transport.call("GET", path, query=query | {"page_token": token})
            found, token = found + page["results"], page["next_page_token"]
        return JobResults.of(answer | {"results": found})

    def download_results(
        self,
        job: Job | str,
        to: str | Path,
        *,
        join: bool = True,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[Path]:
        """A job's predictions in one file at `to`, or in a folder that `to` is; digests are checked on the way.

        Beside it OUTPUT.npy for each output if there are several, and what is wrong with records of NPY and Parquet in
        errors.jsonl. Several parts of Parquet stay parts, in a folder at `to`; without `join` all parts do. What a
        download that was cut off left is used. Raises DownloadFailed, InvalidInput.
        """
        found = job if isinstance(job, Job) else self.job(job)
        if found.kind != "batch":
            raise InvalidInput(
                f"job {found.id} is one request: `deferred_answer`, or `maas job answer`, gives its answer"
            )
        return results.save(found, lambda: self.job_results(found.id), Path(to), progress, join=join)

    def _create(self, body: dict[str, Any]) -> NewJob:
        return NewJob.of(self._transport.call("POST", JOBS, body, creating=True))

    def _upload(self, body: dict[str, Any], path: Path, progress: Callable[[Progress | Job], None] | None) -> Job:
        if not path.is_file():
            raise InvalidInput(f"there is no file {path}")
        if not path.stat().st_size:
            raise InvalidInput(f"{path} is empty: there is nothing to predict")
        file = LocalFile(path, _name(path), path.stat().st_size)
        (declared,) = upload.declare([file], progress)
        new = self._create(body | {"upload": asdict(declared)})
        try:
            upload.send([Upload(file.name, new.parts)], [file], progress)
            return self._complete(new.job.id)
        except (ServerFailed, CannotConnect):  # the file is there: the job may well run all the same
            raise
        except BaseException:
            with suppress(MaasError):  # else it would wait for its file for ever
                self.cancel_job(new.job.id)
            raise

    def _complete(self, job_id: str) -> Job:
        """Asked again for longer than other calls: S3 may take minutes to join the parts of a large file."""
        for attempt in range(1, COMPLETE_ROUNDS + 1):
            try:
                return Job.of(self._transport.call("POST", _path(job_id, "complete"), repeatable=True))
            except (ServerFailed, CannotConnect):
                if attempt == COMPLETE_ROUNDS:
                    raise
            pause(attempt)
        raise AssertionError


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int) else list(value)
        for name, value in values.items()
        if value is not None
    }


def _name(path: Path) -> str:
    """Only its end tells the server something."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in path.name)
    return "_" + plain[-100:] if plain.startswith((".", "-")) or len(plain) > 100 else plain


def _path(job_id: str, *rest: str) -> str:
    return path_of("api", "v1", "jobs", job_id, *rest)
