"""Calls of S3 as the product, boto3 and the AWS CLI make them."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

Told = list[tuple[str, str, str]]


def client(url: str) -> Any:
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config)


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer: Any = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def keys(listed: list[dict[str, Any]]) -> list[str]:
    return [one["Key"] for one in listed]
