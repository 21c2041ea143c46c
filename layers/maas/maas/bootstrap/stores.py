"""The registry, keys, jobs, counters, objects: on boto3, or on signed requests where a cold start counts."""

from typing import TYPE_CHECKING, Any

from maas.aws.dynamodb import Table, boto3_call
from maas.registry import Registry
from maas.settings import MissingSetting, Settings

if TYPE_CHECKING:
    from maas.access.authorizer import Authorizer
    from maas.access.keys_table import Keys
    from maas.aws.s3 import ModelBucket
    from maas.aws.sqs import Queue
    from maas.batch.state.jobs import Jobs
    from maas.metrics.metrics import Metrics
    from maas.metrics.prices import Prices


def registry(settings: Settings) -> Registry:
    """For management and deployment: uses boto3."""
    return Registry(Table(boto3_call(client("dynamodb", settings)), settings.table))


def keys(settings: Settings) -> "Keys":
    """For management: uses boto3."""
    from maas.access.keys_table import Keys

    table = Table(boto3_call(client("dynamodb", settings)), settings.table)
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

    return ModelBucket(client("s3", settings), settings.bucket, settings.upload_expiry_seconds)


def jobs(settings: Settings) -> "Jobs":
    from maas.batch.state.jobs import Jobs

    return Jobs(Table(boto3_call(client("dynamodb", settings)), settings.table))


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


def queue(settings: Settings) -> "Queue":
    from maas.aws.sqs import Queue

    return Queue(client("sqs", settings), settings.queue_url)


def async_queue(settings: Settings) -> "Queue":
    from maas.aws.sqs import Queue

    return Queue(client("sqs", settings), settings.async_queue_url)


def client(service: str, settings: Settings) -> Any:
    from maas.aws import clients

    return clients.client(service, settings.region, settings.endpoint(service))
