"""The bucket with boto3: which errors of S3 may pass, and which are told as they are."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from maas.aws.s3 import ModelBucket
from maas.errors import ServiceUnavailable
from support.server.server import contract_server


@pytest.mark.parametrize(("status", "raised"), [(503, ServiceUnavailable), (403, ClientError)])
def test_an_upload_that_s3_refuses(tmp_path: Path, status: int, raised: type[Exception]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"good")
    with contract_server() as server:
        server.trouble = [("PUT", status)]
        with pytest.raises(raised):
            _bucket(server.url).upload("models/m/1/prepared/model.onnx", path)


def _bucket(url: str) -> ModelBucket:
    once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client: Any = boto3.client("s3", "us-east-1", endpoint_url=url, config=once, **keys)
    return ModelBucket(client, "bucket", 60)
