"""Writes objects with signed requests, for functions that do not import boto3."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from maas.aws.signed import SignedClient, service_url
from maas.errors import ServiceUnavailable


class S3Writer:
    def __init__(self, region: str, endpoint_url: str, bucket: str) -> None:
        if endpoint_url:
            self._prefix, url = f"/{bucket}/", endpoint_url
        else:
            host = urlsplit(service_url("s3", region, "")).netloc
            self._prefix, url = "/", f"https://{bucket}.{host}"
        self._client = SignedClient("s3", region, url)

    def put_file(self, key: str, path: Path, sha256: str) -> str | None:
        """Upload a file of at most 5 GB as a stream; returns the object version. Raises ServiceUnavailable."""
        with path.open("rb") as file:
            headers = {"content-length": str(path.stat().st_size)}
            with self._client.request("PUT", self._prefix + key, {}, headers, file, sha256) as response:
                response.read()
                if response.status != 200:
                    raise ServiceUnavailable("S3")
                return response.headers.get("x-amz-version-id")

    def put_new(self, key: str, body: bytes) -> bool:
        """Create the object; False if there is one already, which stays. Raises ServiceUnavailable."""
        digest = hashlib.sha256(body).hexdigest()
        headers = {"if-none-match": "*", "content-type": "application/json"}
        with self._client.request("PUT", self._prefix + key, {}, headers, body, digest) as response:
            response.read()
            if response.status not in (200, 409, 412):
                raise ServiceUnavailable("S3")
            return response.status == 200
