"""`maas.jobs`: batch predictions and deferred inferences of the management API."""

import builtins
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from maas_client import results
from maas_client._async import downloads
from maas_client._async.backend import in_thread, sleep
from maas_client._async.transport import MAX_PAGES, AsyncTransport, next_token
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


class AsyncJobs:
    """Jobs: what `batch` and `infer_later` start."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self, limit: int | None = None) -> builtins.list[Job]:
        """All jobs, newest first, or the `limit` newest, without their progress.

        >>> job = await maas.batch("digits", "rows.jsonl")
        >>> [found.id == job.id for found in await maas.jobs.list()]
        [True]
        """
        return await self._transport.pages(api_path("jobs"), "jobs", Job, limit, {})

    async def get(self, job: Job | str) -> Job:
        """One job, with its progress; it is named by its id or as it was before. Raises NotFound.

        >>> job = await maas.batch("digits", "rows.jsonl", wait=True)
        >>> (await maas.jobs.get(job.id)).progress.rows
        3
        """
        return read(Job, await self._transport.call("GET", _path(job)))

    async def wait(
        self, job: Job | str, timeout_seconds: float | None = None, progress: Callable[[Job], None] | None = None
    ) -> Job:
        """The job once it SUCCEEDED. Raises JobFailed, JobCancelled; JobTimedOut while the job runs on.

        >>> job = await maas.batch("digits", "rows.jsonl")
        >>> (await maas.jobs.wait(job)).status
        'SUCCEEDED'
        """
        watch = Watch(timeout_seconds)
        seen: Job | None = None
        while True:
            seen = await self._look(job, watch, seen)
            if progress:
                progress(seen)
            pause_seconds = watch.pause_after(seen)
            if pause_seconds is None:
                return seen
            await sleep(pause_seconds)

    async def _look(self, job: Job | str, watch: Watch, before: Job | None) -> Job:
        try:
            return read(Job, await self._transport.call("GET", _path(job), deadline=watch.deadline))
        except NoAnswerInTime:
            if before is None or not watch.is_over:
                raise
            raise watch.timed_out(before) from None

    async def cancel(self, job: Job | str) -> Job:
        """End a job; results that are done stay. Raises Conflict if it has ended.

        >>> job = await maas.batch("digits", "rows.jsonl")
        >>> (await maas.jobs.cancel(job)).status
        'CANCELLED'
        """
        return read(Job, await self._transport.call("DELETE", _path(job), repeatable=True))

    async def retry(self, job: Job | str) -> Job:
        """Run the missing shards of a job that FAILED. Raises Conflict for any other.

        >>> try:
        ...     job = await maas.batch("digits", "broken.csv", wait=True)
        ... except JobFailed as failure:
        ...     print((await maas.jobs.retry(failure.job.id)).status)
        PLANNING
        """
        return read(Job, await self._transport.call("POST", _path(job, "retry")))

    async def results(self, job: Job | str) -> JobResults:
        """The parts of a job's output that are done, each with a URL that is good for an hour.

        >>> job = await maas.batch("digits", "rows.jsonl", wait=True)
        >>> [(part.name, part.rows) for part in (await maas.jobs.results(job)).results]
        [('part-00000.jsonl', 2), ('part-00001.jsonl', 1)]
        """
        path, asked, found = _path(job, "results"), {"limit": str(RESULTS_PAGE)}, list[JobResult]()
        for _ in range(MAX_PAGES):
            answer = await self._transport.call("GET", path, query=asked)
            page, token = read(JobResults, answer), read(Page, answer).next_page_token
            found += page.results
            if not token:
                return JobResults(tuple(found), page.header_length)
            asked["page_token"] = next_token(token, asked)
        raise InvalidResponse(f"the results have more than {MAX_PAGES:,} pages")

    async def download(
        self, job: Job | str, to: str | Path, *, join: bool = True, progress: Report | None = None
    ) -> builtins.list[Path]:
        """Get a batch's predictions into one file at `to`, or into a folder that `to` is. Digests are checked.

        Several outputs of NPY become a file each, OUTPUT.npy beside `to`; errors of NPY and Parquet are in
        errors.jsonl there. Several parts of Parquet stay parts, in a folder at `to`; without `join` all parts do. A
        download that was cut off goes on where it was. Raises DownloadFailed, InvalidInput.

        >>> job = await maas.batch("digits", "rows.jsonl", wait=True)
        >>> [path.name for path in await maas.jobs.download(job, "predictions.jsonl")]
        ['predictions.jsonl']
        """
        found = job if isinstance(job, Job) else await self.get(job)
        if found.kind != "batch":
            raise InvalidInput(f"job {found.id} is one request: `jobs.answer`, or `maas job answer`, gives its answer")

        async def fresh() -> Mapping[str, str]:
            return {one.name: one.url for one in (await self.results(found.id)).results}

        plan = results.plan(found, (await self.results(found.id)).results, path("to", to), join=join)
        if plan.downloads:
            await downloads.fetch(plan.downloads, plan.folder, progress, fresh)
        return await in_thread(plan.finish)

    async def answer(self, job: Job | str, timeout_seconds: float | None = None) -> "Outputs":
        """The outputs of `infer_later`, waited for. Raises JobFailed, JobCancelled, JobTimedOut, DownloadFailed.

        >>> job = await maas.infer_later("digits", [[1, 2]])
        >>> (await maas.jobs.answer(job))["y"]
        array([[2., 4.]], dtype=float32)
        """
        return (await self.answer_response(job, timeout_seconds)).outputs

    async def answer_response(self, job: Job | str, timeout_seconds: float | None = None) -> InferenceResponse:
        """Like `answer`, with the model and version that answered, and the request's id.

        >>> job = await maas.infer_later("digits", [[1, 2]], "production")
        >>> (await maas.jobs.answer_response(job)).model_version
        '1'
        """
        from maas_client.protocol.responses import deferred_response

        deadline = deadline_after(timeout_seconds)
        found = await self.wait(job, timeout_seconds)
        if found.kind != "infer":
            raise InvalidInput(f"job {found.id} is a batch: `jobs.download`, or `maas job download`, gets its results")
        listed = await self.results(found.id)
        if len(listed.results) != 1:
            raise InvalidResponse(f"job {found.id} has {len(listed.results)} answers, expected one")
        (one,) = listed.results
        return deferred_response(await downloads.content(one.url, one.name, deadline), listed.header_length)


def _path(job: Job | str, *rest: str) -> str:
    return api_path("jobs", job.id if isinstance(job, Job) else job, *rest)
