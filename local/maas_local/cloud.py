"""The substitute for AWS: an endpoint with the template's table, bucket, queues and event rules."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from maas.aws.dynamodb import Table, boto3_call
from maas_client.errors import MaasError
from maas_local.data_folder import DataFolder
from maas_local.engine_process import engine
from maas_local.first_key import admin_key, is_valid
from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.parameters import ENDPOINT
from maas_local.resources import NAME
from maas_local.template import Queue, Template

FAKE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
VISIBILITY_SECONDS = 900  # the longest time that a function may run
_EXISTS = {"ResourceInUseException", "BucketAlreadyOwnedByYou"}


class LocalCloud:
    """`url` is the endpoint of all services; `credentials` sign the calls of the functions.

    `poll_seconds` is how long a request for messages waits: each costs milliseconds of the process that answers HTTP.
    """

    def __init__(self, url: str, credentials: dict[str, str], poll_seconds: int) -> None:
        self.url, self.credentials, self.poll_seconds = url, credentials, poll_seconds

    @classmethod
    @contextmanager
    def start(
        cls,
        template: Path,
        host: str = "127.0.0.1",
        advertised_host: str | None = None,
        data: DataFolder | None = None,
        parameters: Mapping[str, str] | None = None,
        on_death: Callable[[], None] = lambda: None,
    ) -> Iterator["LocalCloud"]:
        """Start an engine in its own process, or use the endpoint in AWS_ENDPOINT_URL.

        `advertised_host` replaces `host` in the URL: containers of `sam local` reach this machine at another address.
        Without `data` nothing is kept; `parameters` are the template's; `on_death` is called from a thread if the
        engine's process ends. Raises MaasError if the endpoint does not answer.
        """
        elsewhere, given = os.environ.get("AWS_ENDPOINT_URL"), parameters or {}
        if elsewhere:
            cloud = cls(elsewhere, _credentials(), poll_seconds=1)  # what a dead request takes is lost for long
            yield cloud._with(template, given)
            return
        with engine(host, data, on_death) as port:
            cloud = cls(f"http://{advertised_host or host}:{port}", FAKE_CREDENTIALS, poll_seconds=20)
            yield cloud._with(template, given)

    def client(self, service: str) -> Any:
        config = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}, max_pool_connections=32)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.credentials.get("AWS_SESSION_TOKEN"),
            config=config,
        )

    def admin_key(self, template: Template, data: DataFolder | None = None) -> str | None:
        """An API key of scope admin: that of the last run while it is valid; None if the template has no authorizer."""
        if not template.is_protected():
            return None
        table = Table(boto3_call(self.client("dynamodb")), NAME)
        if data and is_valid(table, data.remembered.api_key):
            return data.remembered.api_key
        key = admin_key(table, "local", "maas local").key
        if data:
            data.remember(api_key=key)
        return key

    def _with(self, template: Path, parameters: Mapping[str, str]) -> "LocalCloud":
        """Create the resources of the template and return self."""
        try:
            self._create(Template.load(template, {**parameters, ENDPOINT: self.url}))
        except (BotoCoreError, ClientError) as error:
            raise MaasError(f"{self.url} does not work as an AWS endpoint: {error}") from error
        return self

    def _create(self, template: Template) -> None:
        s3, sqs, events, dynamodb = (self.client(name) for name in ("s3", "sqs", "events", "dynamodb"))
        with _unless_there():
            dynamodb.create_table(TableName=NAME, **template.table_request())
        if expiry := template.table_expiry():
            dynamodb.update_time_to_live(TableName=NAME, TimeToLiveSpecification=expiry)
        with _unless_there():
            s3.create_bucket(Bucket=NAME)
        bucket = template.bucket()
        if bucket.versioned:
            s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
        if bucket.sends_events:
            configuration: dict[str, Any] = {"EventBridgeConfiguration": {}}
            s3.put_bucket_notification_configuration(Bucket=NAME, NotificationConfiguration=configuration)
        for queue in template.queues():
            _create_queue(sqs, queue)
        for rule in template.event_rules():
            queue_url = sqs.create_queue(QueueName=rule.name)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
            events.put_rule(Name=rule.name, EventPattern=json.dumps(rule.pattern))
            events.put_targets(Rule=rule.name, Targets=[{"Id": rule.function, "Arn": attributes["QueueArn"]}])


def _create_queue(sqs: Any, queue: Queue) -> None:
    attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    if queue.dead_letters:
        target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.dead_letters}"
        policy = {"deadLetterTargetArn": target, "maxReceiveCount": queue.max_receives}
        attributes["RedrivePolicy"] = json.dumps(policy)
    sqs.create_queue(QueueName=queue.name, Attributes=attributes)


def _credentials() -> dict[str, str]:
    """The user's AWS credentials; if there are none, fake ones, which moto accepts."""
    found = boto3.Session().get_credentials()
    if not found:
        return FAKE_CREDENTIALS
    frozen = found.get_frozen_credentials()
    credentials = {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
    return credentials | ({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {})


@contextmanager
def _unless_there() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _EXISTS:
            raise
