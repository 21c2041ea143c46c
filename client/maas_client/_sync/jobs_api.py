# Made from _async/jobs_api.py by client/generate_sync.py: change that file.
"""`maas.jobs`: batch predictions and deferred inferences of the management API."""

import builtins
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from maas_client import results
from maas_client._sync import downloads
from maas_client._sync.backend import in_thread, sleep
from maas_client._sync.transport import MAX_PAGES, Transport, next_token
from maas_client.arguments import path
from maas_client.calls import api_path, deadline_after
from maas_client.errors import InvalidInput, InvalidResponse, NoAnswerInTime
from maas_client.files import Report
from maas_client.reading import Page, read
from maas_client.records.inference import InferenceResponse
from maas_client.records.jobs import Job, JobResult, JobResults
from maas_client.watch import Watch

if TYPE_CHECKING:
    from maas_client.records.inference import Outputs

RESULTS_PAGE = 200  # shards


class Jobs:
    """Jobs: what `batch` and `infer_later` start."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, limit: int | None = None) -> builtins.list[Job]:
        """All jobs, newest first, or the `limit` newest, without their progress.

        >>> job = maas.batch("digits", "rows.jsonl")
        >>> [found.id == job.id for found in maas.jobs.list()]
        [True]
        """
        return self._transport.pages(api_path("jobs"), "jobs", Job, limit, {})

    def get(self, job: Job | str) -> Job:
        """One job, with its progress; it is named by its id or as it was before. Raises NotFound.

        >>> job = maas.batch("digits", "rows.jsonl", wait=True)
        >>> maas.jobs.get(job.id).progress.rows
        3
        """
        return read(Job, self._transport.call("GET", _path(job)))

    def wait(
        self, job: Job | str, timeout_seconds: float | None = None, progress: Callable[[Job], None] | None = None
    ) -> Job:
        """The job once it SUCCEEDED. Raises JobFailed, JobCancelled; JobTimedOut while the job runs on.

        >>> job = maas.batch("digits", "rows.jsonl")
        >>> maas.jobs.wait(job).status
        'SUCCEEDED'
        """
        watch = Watch(timeout_seconds)
        seen: Job | None = None
        while True:
            seen = self._look(job, watch, seen)
            if progress:
                progress(seen)
            pause_seconds = watch.pause_after(seen)
            if pause_seconds is None:
                return seen
            sleep(pause_seconds)

    def _look(self, job: Job | str, watch: Watch, before: Job | None) -> Job:
        try:
            return read(Job, self._transport.call("GET", _path(job), deadline=watch.deadline))
        except NoAnswerInTime:
            if before is None or not watch.is_over:
                raise
            raise watch.timed_out(before) from None

    def cancel(self, job: Job | str) -> Job:
        """End a job; results that are done stay. Raises Conflict if it has ended.

        >>> job = maas.batch("digits", "rows.jsonl")
        >>> maas.jobs.cancel(job).status
        'CANCELLED'
        """
        return read(Job, self._transport.call("DELETE", _path(job), repeatable=True))

    def retry(self, job: Job | str) -> Job:
        """Run the missing shards of a job that FAILED. Raises Conflict for any other.

        >>> try:
        ...     job = maas.batch("digits", "broken.csv", wait=True)
        ... except JobFailed as failure:
        ...     print(maas.jobs.retry(failure.job.id).status)
        PLANNING
        """
        return read(Job, self._transport.call("POST", _path(job, "retry")))

    def results(self, job: Job | str) -> JobResults:
        """The parts of a job's output that are done, each with a URL that is good for an hour.

        >>> job = maas.batch("digits", "rows.jsonl", wait=True)
        >>> [(part.name, part.rows) for part in maas.jobs.results(job).results]
        [('part-00000.jsonl', 2), ('part-00001.jsonl', 1)]
        """
        path, asked, found = _path(job, "results"), {"limit": str(RESULTS_PAGE)}, list[JobResult]()
        for _ in range(MAX_PAGES):
            answer = self._transport.call("GET", path, query=asked)
            page, token = read(JobResults, answer), read(Page, answer).next_page_token
            found += page.results
            if not token:
                return JobResults(tuple(found), page.header_length)
            asked["page_token"] = next_token(token, asked)
        raise InvalidResponse(f"the results have more than {MAX_PAGES:,} pages")

    def download(
        self, job: Job | str, to: str | Path, *, join: bool = True, progress: Report | None = None
    ) -> builtins.list[Path]:
        """Get a batch's predictions into one file at `to`, or into a folder that `to` is. Digests are checked.

        Several outputs of NPY become a file each, OUTPUT.npy beside `to`; errors of NPY and Parquet are in
        errors.jsonl there. Several parts of Parquet stay parts, in a folder at `to`; without `join` all parts do. A
        download that was cut off goes on where it was. Raises DownloadFailed, InvalidInput.

        >>> job = maas.batch("digits", "rows.jsonl", wait=True)
        >>> [path.name for path in maas.jobs.download(job, "predictions.jsonl")]
        ['predictions.jsonl']
        """
        found = job if isinstance(job, Job) else self.get(job)
        if found.kind != "batch":
            raise InvalidInput(f"job {found.id} is one request: `jobs.answer`, or `maas job answer`, gives its answer")

        def fresh() -> Mapping[str, str]:
            return {one.name: one.url for one in self.results(found.id).results}

        plan = results.plan(found, self.results(found.id).results, path("to", to), join=join)
        if plan.downloads:
            downloads.fetch(plan.downloads, plan.folder, progress, fresh)
        return in_thread(plan.finish)

    def answer(self, job: Job | str, timeout_seconds: float | None = None) -> "Outputs":
        """The outputs of `infer_later`, waited for. Raises JobFailed, JobCancelled, JobTimedOut, DownloadFailed.

        >>> job = maas.infer_later("digits", [[1, 2]])
        >>> maas.jobs.answer(job)["y"]
        array([[2., 4.]], dtype=float32)
        """
        return self.answer_response(job, timeout_seconds).outputs

    def answer_response(self, job: Job | str, timeout_seconds: float | None = None) -> InferenceResponse:
        """Like `answer`, with the model and version that answered, and the request's id.

        >>> job = maas.infer_later("digits", [[1, 2]], "production")
        >>> maas.jobs.answer_response(job).model_version
        '1'
        """
        from maas_client.protocol.responses import deferred_response

        deadline = deadline_after(timeout_seconds)
        found = self.wait(job, timeout_seconds)
        if found.kind != "infer":
            raise InvalidInput(f"job {found.id} is a batch: `jobs.download`, or `maas job download`, gets its results")
        listed = self.results(found.id)
        if len(listed.results) != 1:
            raise InvalidResponse(f"job {found.id} has {len(listed.results)} answers, expected one")
        (one,) = listed.results
        return deferred_response(downloads.content(one.url, one.name, deadline), listed.header_length)


def _path(job: Job | str, *rest: str) -> str:
    return api_path("jobs", job.id if isinstance(job, Job) else job, *rest)
