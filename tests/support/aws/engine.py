"""A table and a bucket made from template.yaml on an engine, and the graphs of maas.bootstrap over them."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from maas import bootstrap
from maas.aws.clients import client
from maas.deployment import uploads
from maas.records import ModelFile, ModelVersion
from maas.registry.state.table_rows import version_key
from maas.settings import Settings
from maas_local.template import Template

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Cloud:
    """One test's own table, bucket and disk."""

    settings: Settings

    @property
    def environment(self) -> dict[str, str]:
        """What template.yaml gives the functions."""
        return CREDENTIALS | {
            "MAAS_TABLE": self.settings.table,
            "MAAS_BUCKET": self.settings.bucket,
            "MAAS_TMP_DIR": self.settings.tmp_dir,
            "AWS_ENDPOINT_URL": self.settings.endpoint_url,
            "MAAS_QUEUE_URL": self.settings.queue_url,
            "MAAS_ASYNC_QUEUE_URL": self.settings.async_queue_url,
            "MAAS_SHADOW_QUEUE_URL": self.settings.shadow_queue_url,
        }

    def create_model(self, name: str) -> None:
        bootstrap.registry(self.settings).models.create(name, "", {}, "tester")

    def upload(
        self,
        model: str,
        content: bytes | Mapping[str, bytes],
        *,
        sha256: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> ModelVersion:
        """A version with one file, or with files by name, uploaded and committed as by a client, and not deployed."""
        registry, bucket = bootstrap.registry(self.settings), bootstrap.bucket(self.settings)
        files = {"model.onnx": content} if isinstance(content, bytes) else content
        listed = [ModelFile(name, len(one), sha256 or hashlib.sha256(one).hexdigest()) for name, one in files.items()]
        uploads.check_files(listed, self.settings.max_model_bytes)
        version = registry.versions.create(model, listed, "", {}, "tester", options=options)
        for name, one in files.items():
            key = f"models/{model}/{version.number}/source/{name}"
            self.s3.put_object(Bucket=self.settings.bucket, Key=key, Body=one)
        uploads.complete(bucket, version)
        return version

    def deploy(
        self, model: str, content: bytes | Mapping[str, bytes], *, sha256: str | None = None, **options: Any
    ) -> ModelVersion:
        """A version that was uploaded and deployed: READY or FAILED."""
        version = self.upload(model, content, sha256=sha256, options=options)
        return bootstrap.deployment(self.settings).deploy(model, version.number)

    def forget_prepared(self, model: str, number: int) -> None:
        """What an environment of another kind than the deployment's finds: no prepared form that is for it."""
        pk, sk = version_key(model, number)
        dynamodb = client("dynamodb", self.settings.region, self.settings.endpoint_url)
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        dynamodb.update_item(TableName=self.settings.table, Key=key, UpdateExpression="REMOVE variants")

    @property
    def s3(self) -> "boto3.client":
        return client("s3", self.settings.region, self.settings.endpoint_url)


@cache
def template() -> Template:
    """template.yaml with its defaults, read once a process: a tenth of a second each time."""
    return Template.load(TEMPLATE)


def table_name() -> str:
    return f"maas-{uuid.uuid4().hex[:12]}"


def create_table(endpoint_url: str) -> str:
    """An empty table as template.yaml describes it; returns its name."""
    name = table_name()
    dynamodb = client("dynamodb", "us-east-1", endpoint_url)
    dynamodb.create_table(TableName=name, **template().table_request())
    return name


def create_cloud(endpoint_url: str, tmp_dir: Path) -> Cloud:
    table = create_table(endpoint_url)
    sqs = client("sqs", "us-east-1", endpoint_url)
    settings = Settings(
        table=table,
        bucket=table,
        queue_url=sqs.create_queue(QueueName=table)["QueueUrl"],
        async_queue_url=sqs.create_queue(QueueName=f"{table}-async")["QueueUrl"],
        shadow_queue_url=sqs.create_queue(QueueName=f"{table}-samples")["QueueUrl"],
        endpoint_url=endpoint_url,
        tmp_dir=str(tmp_dir),
        memory_mb=1769,
    )
    s3 = client("s3", "us-east-1", endpoint_url)
    s3.create_bucket(Bucket=table)
    s3.put_bucket_versioning(Bucket=table, VersioningConfiguration={"Status": "Enabled"})
    return Cloud(settings)
