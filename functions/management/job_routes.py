"""/api/v1/jobs: batch predictions, and answers that come later."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from edge import Limit, ListScope, OnceOnly, Token, page_tokens, registry, settings
from maas import bootstrap
from maas.batch.schemas import CreatedJob, CreateJob, Job, JobResults, Jobs
from maas.web import Actor
from openapi import MADE_JOB, refusals

jobs = bootstrap.jobs(settings)
submission = bootstrap.submission(settings)

JobId = Annotated[str, Path(alias="job", pattern=r"^[0-9a-f]{20}$", examples=["0123456789abcdef0123"])]

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.post("", status_code=201, responses=MADE_JOB | refusals(404, 409, 410, 413))
def create_job(body: CreateJob, actor: Actor, once: OnceOnly, response: Response) -> CreatedJob:
    """Of an object that is in the bucket, or of a file that is uploaded as the answer says."""
    job, parts = submission.create(registry.resolve(body.model, body.version), body, actor, once)
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return CreatedJob.with_upload(job, parts)


@router.get("", responses=refusals())
def list_jobs(scope: ListScope, limit: Limit = 100, token: Token = None) -> Jobs:
    """Newest first."""
    found, last = jobs.page(limit, page_tokens.position(scope, token))
    return Jobs(jobs=[Job.of(job) for job in found], next_page_token=page_tokens.issue(scope, last))


@router.get("/{job}", responses=refusals(404))
def get_job(job: JobId) -> Job:
    """With its progress."""
    return Job.of(jobs.get(job), list(jobs.shards(job)))


@router.post("/{job}/complete", status_code=202, responses=refusals(404, 409))
def complete_job(job: JobId) -> Job:
    """All parts of a large file are uploaded; a small one needs no call."""
    return Job.of(submission.complete(job))


@router.get("/{job}/results", responses=refusals(404, 409))
def job_results(job: JobId, scope: ListScope, limit: Limit = 1000, token: Token = None) -> JobResults:
    """Where the predictions are, each with a URL to get it from; of a job that runs or FAILED, those there are."""
    found, header_length, last = submission.shown_results(job, limit, page_tokens.position(scope, token))
    return JobResults(results=found, header_length=header_length, next_page_token=page_tokens.issue(scope, last))


@router.post("/{job}/retry", status_code=202, responses=refusals(404, 409))
def retry_job(job: JobId) -> Job:
    """Run what is missing of a job that FAILED."""
    return Job.of(submission.retry(job))


@router.delete("/{job}", responses=refusals(404, 409))
def cancel_job(job: JobId) -> Job:
    """Shards that run end; none begins. What is done stays."""
    return Job.of(submission.cancel(job))
