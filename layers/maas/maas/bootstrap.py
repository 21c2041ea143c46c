"""The object graphs, each built once at cold start from settings. Tests call the same functions with other settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas.aws.dynamodb import Table, boto3_call
from maas.registry import Registry
from maas.settings import Settings

if TYPE_CHECKING:
    from maas.aws.s3 import ModelBucket
    from maas.dataplane import DataPlane
    from maas.deployment import Deployment
    from maas.page_tokens import PageTokens


def dataplane(settings: Settings) -> "DataPlane":
    """For inference: reads through signed requests, so that neither boto3 nor a web framework is imported."""
    from maas.artifacts import LocalArtifacts
    from maas.aws.s3_reader import S3Reader
    from maas.aws.signed import SignedDynamoDb
    from maas.dataplane import DataPlane
    from maas.runner import Runner, limit_memory
    from maas.runner_cache import RunnerCache

    limit_memory(settings.model_memory_bytes)
    registry = Registry(Table(SignedDynamoDb(settings.region, settings.endpoint_url), settings.table))
    reader = S3Reader(settings.region, settings.endpoint_url, settings.bucket)
    files = LocalArtifacts(reader, Path(settings.tmp_dir), settings.tmp_bytes)
    runners = RunnerCache(
        lambda version: Runner(files.model_path(version), settings.threads), settings.runner_cache_bytes
    )
    return DataPlane(registry, runners, settings.resolve_ttl_seconds)


def registry(settings: Settings) -> Registry:
    """For management and deployment: through boto3."""
    return Registry(Table(boto3_call(_client("dynamodb", settings)), settings.table))


def page_tokens(registry: Registry) -> "PageTokens":
    from maas.page_tokens import PageTokens

    return PageTokens(lambda: registry.secret("page-tokens"))


def bucket(settings: Settings) -> "ModelBucket":
    from maas.aws.s3 import ModelBucket

    return ModelBucket(_client("s3", settings), settings.bucket, settings.upload_expiry_seconds)


def deployment(settings: Settings) -> "Deployment":
    from maas.aws.s3_reader import S3Reader
    from maas.deployment import Deployment

    reader = S3Reader(settings.region, settings.endpoint_url, settings.bucket)
    return Deployment(registry(settings), reader, Path(settings.tmp_dir), settings.tmp_bytes, settings.threads)


def _client(service: str, settings: Settings) -> Any:
    from maas.aws.clients import client

    return client(service, settings.region, settings.endpoint_url)
