"""/api/v1/jobs: batch predictions and asynchronous inferences."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from maas import bootstrap
from maas.access.caller import JOBS
from maas.errors import MaasError, NotAllowed
from maas.web.application import Who
from objects import page_tokens, prices, registry, settings
from openapi import MADE_JOB, refusals
from parameters import Limit, ListScope, OnceOnly, Token
from schemas.job_requests import CreateJob
from schemas.jobs import CreatedJob, Job, JobResult, JobResults, Jobs

jobs = bootstrap.jobs(settings)
submission = bootstrap.submission(settings)

JobId = Annotated[str, Path(alias="job", pattern=r"^[0-9a-f]{20}$", examples=["0123456789abcdef0123"])]


async def own_job(job: JobId, who: Who) -> str:
    """A caller without scope `jobs` may use only its own jobs. Raises NotFound, NotAllowed."""
    if not who.has(JOBS) and jobs.get(job).actor != who.actor:
        raise NotAllowed(who.actor, [JOBS])
    return job


OwnJob = Annotated[str, Depends(own_job)]

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.post("", status_code=201, responses=MADE_JOB | refusals(404, 409, 410, 413))
def create_job(body: CreateJob, who: Who, once: OnceOnly, response: Response) -> CreatedJob:
    """Create a job for an object in the bucket, or for a file to upload as the response says."""
    if not who.has(JOBS) and not (body.kind == "infer" and who.may_infer(body.model)):
        raise NotAllowed(who.actor, [JOBS])
    version = registry.resolve(body.model, body.version)
    if body.shadow:
        _check_ready(body.model, body.shadow.version)
    job, parts = submission.create(version, body.request(), who.actor, once)
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return CreatedJob.with_upload(job, parts)


def _check_ready(model: str, shadow: int) -> None:
    try:
        registry.resolve(model, str(shadow))
    except MaasError as error:
        error.field = "shadow.version"
        raise


@router.get("", responses=refusals())
def list_jobs(scope: ListScope, limit: Limit = 100, token: Token = None) -> Jobs:
    """Jobs, newest first."""
    found, last = jobs.page(limit, page_tokens.position(scope, token))
    return Jobs(jobs=[Job.of(job) for job in found], next_page_token=page_tokens.issue(scope, last))


@router.get("/{job}", responses=refusals(404))
def get_job(job: OwnJob) -> Job:
    """The job with its progress."""
    found = jobs.get(job)
    return Job.of(found, jobs.shards.tally(job) if found.planned else None, prices)


@router.post("/{job}/complete", status_code=202, responses=refusals(404, 409))
def complete_job(job: OwnJob) -> Job:
    """Call this when all parts of a large file are uploaded. A file uploaded in one part needs no call."""
    return Job.of(submission.complete(job))


@router.get("/{job}/results", responses=refusals(404, 409))
def job_results(job: OwnJob, scope: ListScope, limit: Limit = 250, token: Token = None) -> JobResults:
    """The files of predictions with a download URL each; of a running or FAILED job, the finished ones.

    `limit` counts shards; a page has fewer if they have many outputs.
    """
    found, header_length, last = submission.shown_results(job, limit, page_tokens.position(scope, token))
    results = [JobResult.of(one) for one in found]
    return JobResults(results=results, header_length=header_length, next_page_token=page_tokens.issue(scope, last))


@router.post("/{job}/retry", status_code=202, responses=refusals(404, 409))
def retry_job(job: JobId) -> Job:
    """Run the missing shards of a FAILED job, or of one that got stuck; keeps it for another retention time."""
    return Job.of(submission.retry(job))


@router.delete("/{job}", responses=refusals(404, 409))
def cancel_job(job: OwnJob) -> Job:
    """Start no more shards. Running shards end; finished predictions stay."""
    return Job.of(submission.cancel(job))
