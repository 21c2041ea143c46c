"""What stands in for AWS: an endpoint with the template's table, bucket and event rules."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from maas_client.local.intrinsics import ACCOUNT, REGION
from maas_client.local.template import NAME, EventRule, Template

FAKE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
_EXISTS = {"ResourceInUseException", "BucketAlreadyOwnedByYou"}


class LocalCloud:
    """`url` is where the services answer; `credentials` are what the functions get to sign with."""

    def __init__(self, url: str, credentials: dict[str, str]) -> None:
        self.url, self.credentials = url, credentials

    @classmethod
    @contextmanager
    def start(
        cls, template: Path, host: str = "127.0.0.1", advertised_host: str | None = None
    ) -> Iterator["LocalCloud"]:
        """moto's server in a process of its own, or the endpoint that AWS_ENDPOINT_URL names.

        `advertised_host` is how others reach `host`: `sam local` containers know this machine by another address.
        """
        given = os.environ.get("AWS_ENDPOINT_URL")
        if given:
            cloud = cls(given, {name: value for name, value in os.environ.items() if name.startswith("AWS_")})
            cloud._create(Template.load(template, {"AwsEndpointUrl": given}))
            yield cloud
            return
        with _moto(host) as port:
            cloud = cls(f"http://{advertised_host or host}:{port}", FAKE_CREDENTIALS)
            cloud._create(Template.load(template, {"AwsEndpointUrl": cloud.url}))
            yield cloud

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

    def queue_url(self, rule: EventRule) -> str:
        """Where the events of a rule wait for the local stack."""
        return str(self.client("sqs").get_queue_url(QueueName=rule.name)["QueueUrl"])

    def _create(self, template: Template) -> None:
        s3, dynamodb = self.client("s3"), self.client("dynamodb")
        with _unless_there():
            dynamodb.create_table(TableName=NAME, **template.table_request())
        with _unless_there():
            s3.create_bucket(Bucket=NAME)
        s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_notification_configuration(
            Bucket=NAME, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        for rule in template.event_rules():
            self.client("sqs").create_queue(QueueName=rule.name)
            events = self.client("events")
            events.put_rule(Name=rule.name, EventPattern=json.dumps(rule.pattern))
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{rule.name}"
            events.put_targets(Rule=rule.name, Targets=[{"Id": rule.function, "Arn": arn}])


@contextmanager
def _moto(host: str) -> Iterator[int]:
    command = [sys.executable, "-m", "maas_client.local.moto_process", host]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)
            process.kill()


@contextmanager
def _unless_there() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _EXISTS:
            raise
