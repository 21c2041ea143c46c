"""boto3 clients with retries and timeouts that fit into a function's own time limit."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache  # clients are safe to share between threads, and cost 10 ms each
def client(service: str, region: str | None, endpoint_url: str) -> Any:
    """A client of `service`; without `endpoint_url`, of the endpoint that boto3 finds configured, else of AWS.

    S3 at a given endpoint gets path-style addresses, as it has no DNS name per bucket.
    """
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "max_attempts": 4},
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path" if endpoint_url else "virtual"},
        request_checksum_calculation="when_required",
    )
    return boto3.client(service, region_name=region, endpoint_url=endpoint_url or None, config=config)
