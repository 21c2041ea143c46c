"""Inference, and what it leaves behind: counters, samples, requests that are answered later."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from maas.aws.dynamodb import Table
from maas.records import ModelVersion, Quantized, Task
from maas.registry import Registry
from maas.settings import Settings

if TYPE_CHECKING:
    from maas.aws.s3_reader import S3Reader
    from maas.batch.deferred import Deferred
    from maas.deployment.preparation import Inspection
    from maas.deployment.write_back import WriteBack
    from maas.metrics.counters import Counters
    from maas.serving.dataplane import DataPlane, Sampler
    from maas.serving.runner import Runner
    from maas.serving.served_model import ServedModel

    Add = Callable[[Callable[[], object]], bool]


def dataplane(settings: Settings, *, for_jobs: bool = False, sampler: "Sampler | None" = None) -> "DataPlane":
    """For inference: reads with signed requests, so that a cold start imports neither boto3 nor a web framework.

    `for_jobs`: tasks take any number of texts, since jobs cut their input themselves, and images by their place in S3.
    """
    from maas import heap
    from maas.aws.s3_reader import S3Reader
    from maas.aws.signed import SignedDynamoDb
    from maas.deployment.artifacts import LocalArtifacts
    from maas.serving import memory
    from maas.serving.dataplane import DataPlane
    from maas.serving.runner import Runner
    from maas.serving.runner_cache import RunnerCache

    heap.keep_freed()
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


def deferred(settings: Settings) -> "Deferred":
    """For inference: without boto3, like `dataplane`."""
    from maas.aws.s3_writer import S3Writer
    from maas.aws.signed import SignedDynamoDb
    from maas.batch.deferred import Deferred
    from maas.batch.state.jobs import Jobs

    table = Table(SignedDynamoDb(settings.region, settings.endpoint("dynamodb")), settings.table)
    writer = S3Writer(settings.region, settings.endpoint("s3"), settings.bucket)
    return Deferred(Jobs(table), writer, settings.job_retention_seconds)
