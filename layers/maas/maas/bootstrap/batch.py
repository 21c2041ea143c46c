"""Jobs: submitted, planned, worked on, ended."""

from typing import TYPE_CHECKING

from maas.bootstrap.background import notices
from maas.bootstrap.serving import counters, dataplane
from maas.bootstrap.stores import async_queue, bucket, jobs, queue, registry
from maas.settings import MB, Settings

if TYPE_CHECKING:
    from maas.batch.announcements import Announcements
    from maas.batch.job_end import JobEnd
    from maas.batch.job_output import JobOutput
    from maas.batch.planner import Planner
    from maas.batch.submission import Submission
    from maas.batch.worker import Worker


def announcements(settings: Settings) -> "Announcements":
    from maas.batch.announcements import Announcements

    return Announcements(jobs(settings), notices(settings))


def job_output(settings: Settings) -> "JobOutput":
    from maas.batch.job_output import JobOutput

    return JobOutput(bucket(settings))


def job_end(settings: Settings) -> "JobEnd":
    from maas.batch.job_end import JobEnd

    return JobEnd(jobs(settings), job_output(settings), announcements(settings))


def submission(settings: Settings) -> "Submission":
    from maas.batch.submission import Submission

    return Submission(
        jobs(settings),
        bucket(settings),
        announcements(settings),
        settings.shard_mb * MB,
        settings.job_retention_seconds,
    )


def planner(settings: Settings) -> "Planner":
    from maas.aws.s3_reader import S3Reader
    from maas.batch.planner import Planner

    return Planner(
        registry(settings),
        jobs(settings),
        S3Reader(settings.region, settings.endpoint("s3"), settings.bucket),
        queue(settings),
        async_queue(settings),
        job_end(settings),
        announcements(settings),
        settings.shard_mb * MB,
        settings.job_retention_seconds,
    )


def worker(settings: Settings) -> "Worker":
    from maas.aws.s3_reader import S3Reader
    from maas.batch.worker import Worker

    return Worker(
        jobs(settings),
        dataplane(settings, for_jobs=True),
        S3Reader(settings.region, settings.endpoint("s3"), settings.bucket),
        queue(settings),
        job_output(settings),
        job_end(settings),
        announcements(settings),
        counters(settings),
    )
