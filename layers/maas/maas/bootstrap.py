"""The object graph of each function, built once at cold start from the settings; tests pass other settings."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas.aws.dynamodb import Table, boto3_call
from maas.records import ModelVersion, Quantized, Task
from maas.registry import Registry
from maas.settings import MB, MissingSetting, Settings

if TYPE_CHECKING:
    from maas.access.authorizer import Authorizer
    from maas.access.keys_table import Keys
    from maas.aws.s3 import ModelBucket
    from maas.aws.s3_reader import S3Reader
    from maas.aws.sqs import Queue
    from maas.batch.announcements import Announcements
    from maas.batch.deferred import Deferred
    from maas.batch.job_end import JobEnd
    from maas.batch.job_output import JobOutput
    from maas.batch.jobs import Jobs
    from maas.batch.planner import Planner
    from maas.batch.submission import Submission
    from maas.batch.worker import Worker
    from maas.deployment.deploy import Deployment
    from maas.deployment.inbox import Inbox
    from maas.deployment.preparation import Inspection
    from maas.deployment.write_back import WriteBack
    from maas.metrics.counters import Counters
    from maas.metrics.metrics import Metrics
    from maas.metrics.prices import Prices
    from maas.metrics.roll_up import RollUp
    from maas.notices.notices import Notices
    from maas.registry.rollout_tick import RolloutTick
    from maas.registry.rollouts import Tallies
    from maas.sampling.captures import Captures
    from maas.sampling.shadowing import Shadowing
    from maas.serving.dataplane import DataPlane, Sampler
    from maas.serving.runner import Runner
    from maas.serving.served_model import ServedModel

    Add = Callable[[Callable[[], object]], bool]


def dataplane(settings: Settings, *, for_jobs: bool = False, sampler: "Sampler | None" = None) -> "DataPlane":
    """For inference: reads with signed requests, so that a cold start imports neither boto3 nor a web framework.

    `for_jobs`: tasks take any number of texts, since jobs cut their input themselves, and images by their place in S3.
    """
    from maas.aws.s3_reader import S3Reader
    from maas.aws.signed import SignedDynamoDb
    from maas.deployment.artifacts import LocalArtifacts
    from maas.serving import memory
    from maas.serving.dataplane import DataPlane
    from maas.serving.runner import Runner
    from maas.serving.runner_cache import RunnerCache

    memory.limit_models(settings.model_memory_bytes)
    if settings.limit_memory:
        memory.limit_process(settings.model_memory_bytes)
    registry = Registry(Table(SignedDynamoDb(settings.region, settings.endpoint("dynamodb")), settings.table))
    reader = S3Reader(settings.region, settings.endpoint("s3"), settings.bucket)
    files = LocalArtifacts(reader, Path(settings.tmp_dir), settings.tmp_bytes)

    write_back = _write_back(settings, reader)
    fetch = _images(settings, reader) if for_jobs else None

    def load(version: ModelVersion, quantized: Quantized | None) -> "ServedModel":
        variant = None if quantized else write_back.find(version)
        local = files.model(version, quantized or variant)
        runner = Runner(local.path, settings.threads, prepared=local.prepared, outputs=version.graph_outputs)
        if variant is None and quantized is None and settings.write_back:
            write_back.start(version, local.path)
        return _with_task(settings, runner, version.task, local.path, fetch) if version.task else runner

    runners = RunnerCache(load, settings.runner_cache_bytes)
    return DataPlane(registry, runners, settings.resolve_ttl_seconds, sampler)


def _images(settings: Settings, reader: "S3Reader") -> Callable[[str], bytes]:
    from maas.batch.images import ImagesInS3

    return ImagesInS3(reader, settings.bucket).read


def _with_task(
    settings: Settings, runner: "Runner", task: Task, path: Path, fetch: Callable[[str], bytes] | None
) -> "ServedModel":
    """`fetch` is of jobs, whose texts are not limited either."""
    from maas.tasks.limits import TaskLimits
    from maas.tasks.loading import root_of, task_runner

    texts = (0, 0, 0) if fetch else (settings.max_texts, settings.max_text_bytes, settings.max_tokens)
    limits = TaskLimits(*texts, image_pixels=settings.max_image_pixels)
    return task_runner(runner, root_of(path), task, limits, fetch)


def _write_back(settings: Settings, reader: "S3Reader") -> "WriteBack":
    from maas.aws.s3_writer import S3Writer
    from maas.deployment.variants import own_key
    from maas.deployment.write_back import WriteBack
    from maas.serving.sessions import RUNTIME

    def prepare(path: str, to: str, shapes: dict[str, list[int]] | None) -> "Inspection":
        from maas.deployment.child import Limits
        from maas.deployment.preparation import Job, inspect
        from maas.tasks.names import NO_TASK

        limits = Limits(settings.model_memory_bytes)
        # The graph alone: a task changes nothing of its prepared form.
        job = Job(path, settings.threads, settings.max_tensor_bytes, to, shapes=shapes, search_seconds=1, task=NO_TASK)
        return inspect(job, limits)

    writer = S3Writer(settings.region, settings.endpoint("s3"), settings.bucket)
    return WriteBack(reader, writer, partial(own_key, RUNTIME), Path(settings.tmp_dir), prepare)


def counters(settings: Settings) -> "Counters":
    """Of this environment. Its writes are short: they delay the environment's next event."""
    from maas.aws.signed import SignedDynamoDb
    from maas.metrics.counters import Counters
    from maas.telemetry.start import started_ms

    call = SignedDynamoDb(settings.region, settings.endpoint("dynamodb"), attempts=2, timeout_seconds=1)
    return Counters(Table(call, settings.table), settings.memory_mb, started_ms())


def metrics(settings: Settings) -> "Metrics":
    """Uses signed requests, for inference too."""
    from maas.aws.signed import SignedDynamoDb
    from maas.metrics.metrics import Metrics

    return Metrics(Table(SignedDynamoDb(settings.region, settings.endpoint("dynamodb")), settings.table))


def prices(settings: Settings) -> "Prices | None":
    """Raises MissingSetting for a price that is no number."""
    from maas.metrics.prices import prices_of

    try:
        return prices_of(settings.region, settings.price_gb_second, settings.price_million_requests)
    except ValueError as error:
        raise MissingSetting(f"MAAS_PRICE_GB_SECOND, MAAS_PRICE_MILLION_REQUESTS: {error}") from None


def roll_up(settings: Settings) -> "RollUp":
    from maas.metrics.roll_up import RollUp

    return RollUp(Table(boto3_call(_client("dynamodb", settings)), settings.table))


def sampler(settings: Settings, add: "Add", counters: "Counters") -> "Sampler":
    """For inference: without boto3, and made at the first request of an alias that samples any.

    A try to send takes a second or two at most: the environment's next event waits for it.
    """

    @cache
    def made() -> "Sampler":
        from maas.aws.s3_writer import S3Writer
        from maas.aws.signed_sqs import SignedQueue
        from maas.sampling.sampler import Outbox, Sampler

        queue = SignedQueue(settings.region, settings.endpoint("sqs"), settings.shadow_queue_url, 2, 1)
        writer = S3Writer(settings.region, settings.endpoint("s3"), settings.bucket, 2, 2)
        return Sampler(add, Outbox(queue, writer), counters)

    return lambda resolved, parameters, answered: made()(resolved, parameters, answered)


def captures(settings: Settings) -> "Captures":
    from maas.sampling.captures import Captures

    return Captures(bucket(settings))


def shadowing(settings: Settings, counters: "Counters") -> "Shadowing":
    from maas.aws.s3_reader import S3Reader
    from maas.aws.s3_writer import S3Writer
    from maas.sampling.capture_files import CaptureFiles
    from maas.sampling.shadowing import Shadowing

    place = settings.region, settings.endpoint("s3"), settings.bucket
    writer = S3Writer(*place)
    return Shadowing(dataplane(settings), S3Reader(*place), writer, CaptureFiles(writer), counters)


def registry(settings: Settings) -> Registry:
    """For management and deployment: uses boto3."""
    return Registry(Table(boto3_call(_client("dynamodb", settings)), settings.table))


def keys(settings: Settings) -> "Keys":
    """For management: uses boto3."""
    from maas.access.keys_table import Keys

    table = Table(boto3_call(_client("dynamodb", settings)), settings.table)
    return Keys(table, settings.key_requests_per_second)


def authorizer(settings: Settings) -> "Authorizer":
    """Uses signed requests for a quick cold start, since requests wait for it."""
    from maas.access.authorizer import Authorizer
    from maas.access.keys_table import Keys
    from maas.aws.signed import SignedDynamoDb

    known = Keys(Table(SignedDynamoDb(settings.region, settings.endpoint("dynamodb")), settings.table))
    return Authorizer(known, settings.key_header, settings.key_ttl_seconds, settings.key_requests_per_second)


def bucket(settings: Settings) -> "ModelBucket":
    from maas.aws.s3 import ModelBucket

    return ModelBucket(_client("s3", settings), settings.bucket, settings.upload_expiry_seconds)


def deployment(settings: Settings) -> "Deployment":
    from maas.aws.s3_reader import S3Reader
    from maas.deployment.child import Limits
    from maas.deployment.deploy import Deployment, Means

    reader = S3Reader(settings.region, settings.endpoint("s3"), settings.bucket)
    means = Means(
        Path(settings.tmp_dir),
        settings.tmp_bytes,
        settings.memory_mb,
        settings.threads,
        settings.max_tensor_bytes,
        Limits(settings.model_memory_bytes),
    )
    return Deployment(registry(settings), reader, bucket(settings), means)


def inbox(settings: Settings) -> "Inbox":
    from maas.aws.s3_reader import S3Reader
    from maas.deployment.inbox import Inbox

    reader = S3Reader(settings.region, settings.endpoint("s3"), settings.bucket)
    tmp_dir = Path(settings.tmp_dir)
    return Inbox(
        registry(settings),
        bucket(settings),
        reader,
        tmp_dir,
        settings.tmp_bytes // 2,
        settings.max_model_bytes,
        settings.model_quota,
    )


def rollout_tick(settings: Settings, actor: str) -> "RolloutTick":
    from maas.registry.rollout_tick import RolloutTick

    return RolloutTick(registry(settings).rollouts, tallies(settings), notices(settings).tell, actor)


def tallies(settings: Settings) -> "Tallies":
    """For the guard of rollouts."""
    from maas.metrics.tallies import counted

    return partial(counted, metrics(settings))


def jobs(settings: Settings) -> "Jobs":
    from maas.batch.jobs import Jobs

    return Jobs(Table(boto3_call(_client("dynamodb", settings)), settings.table))


def notices(settings: Settings) -> "Notices":
    from maas.aws.event_bus import EventBus
    from maas.aws.sns import Topics
    from maas.notices.notices import Notices

    return Notices(EventBus(_client("events", settings)), Topics(_client("sns", settings)))


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


def deferred(settings: Settings) -> "Deferred":
    """For inference: without boto3, like `dataplane`."""
    from maas.aws.s3_writer import S3Writer
    from maas.aws.signed import SignedDynamoDb
    from maas.batch.deferred import Deferred
    from maas.batch.jobs import Jobs

    table = Table(SignedDynamoDb(settings.region, settings.endpoint("dynamodb")), settings.table)
    writer = S3Writer(settings.region, settings.endpoint("s3"), settings.bucket)
    return Deferred(Jobs(table), writer, settings.job_retention_seconds)


def queue(settings: Settings) -> "Queue":
    from maas.aws.sqs import Queue

    return Queue(_client("sqs", settings), settings.queue_url)


def async_queue(settings: Settings) -> "Queue":
    from maas.aws.sqs import Queue

    return Queue(_client("sqs", settings), settings.async_queue_url)


def _client(service: str, settings: Settings) -> Any:
    from maas.aws.clients import client

    return client(service, settings.region, settings.endpoint(service))
