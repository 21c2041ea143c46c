"""The bucket with boto3: which errors of S3 may pass, and which are told as they are."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from maas import bootstrap
from maas.aws.clients import client
from maas.aws.s3 import ModelBucket
from maas.errors import ServiceUnavailable
from support.aws.engine import Cloud
from support.server.server import contract_server


@pytest.mark.parametrize(("status", "raised"), [(503, ServiceUnavailable), (403, ClientError)])
def test_an_upload_that_s3_refuses(tmp_path: Path, status: int, raised: type[Exception]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"good")
    with contract_server() as server:
        server.trouble = [("PUT", status)]
        with pytest.raises(raised):
            _bucket(server.url).upload("models/m/1/prepared/model.onnx", path)


def test_versions_beyond_the_last_one_stay(cloud: Cloud) -> None:
    bucket, s3 = bootstrap.bucket(cloud.settings), client("s3", cloud.settings.region, cloud.settings.endpoint_url)
    for number in (1, 2, 3, 10):
        bucket.write(f"models/m/{number}/source/model.onnx", b"weights")
        s3.create_multipart_upload(Bucket=cloud.settings.bucket, Key=f"models/m/{number}/source/more.bin")
    bucket.write("models/more/1/source/model.onnx", b"weights")
    assert bucket.delete_prefix("models/m/", float("inf"), 2)
    objects = s3.list_object_versions(Bucket=cloud.settings.bucket)["Versions"]
    kept = [f"models/m/{number}/source" for number in (10, 3)]
    assert [one["Key"] for one in objects] == [f"{one}/model.onnx" for one in [*kept, "models/more/1/source"]]
    uploads = s3.list_multipart_uploads(Bucket=cloud.settings.bucket)["Uploads"]
    assert sorted(one["Key"] for one in uploads) == [f"{one}/more.bin" for one in kept]


def _bucket(url: str) -> ModelBucket:
    once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client: Any = boto3.client("s3", "us-east-1", endpoint_url=url, config=once, **keys)
    return ModelBucket(client, "bucket", 60)
