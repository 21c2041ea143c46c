"""Writes objects with signed requests, for functions that do not import boto3."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from maas.aws.signed import ATTEMPTS, TIMEOUT_SECONDS, SignedClient, service_url
from maas.errors import ServiceUnavailable


class S3Writer:
    def __init__(
        self,
        region: str,
        endpoint_url: str,
        bucket: str,
        attempts: int = ATTEMPTS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        if endpoint_url:
            self._prefix, url = f"/{bucket}/", endpoint_url
        else:
            host = urlsplit(service_url("s3", region, "")).netloc
            self._prefix, url = "/", f"https://{bucket}.{host}"
        self._client = SignedClient("s3", region, url, attempts, timeout_seconds)

    def put_file(self, key: str, path: Path, sha256: str) -> str | None:
        """Upload a file of at most 5 GB as a stream; returns the object version. Raises ServiceUnavailable."""
        with path.open("rb") as file:
            headers = {"content-length": str(path.stat().st_size)}
            with self._client.request("PUT", self._prefix + key, {}, headers, file, sha256) as response:
                response.read()
                if response.status != 200:
                    raise ServiceUnavailable("S3")
                return response.headers.get("x-amz-version-id")

    def put(self, key: str, body: bytes, tags: Mapping[str, str] | None = None) -> str | None:
        """Write a small object, with tags; returns the object version. Raises ServiceUnavailable."""
        headers = {"x-amz-tagging": urlencode(tags)} if tags else {}
        with self._client.request("PUT", self._prefix + key, {}, headers, body) as response:
            response.read()
            if response.status != 200:
                raise ServiceUnavailable("S3")
            return response.headers.get("x-amz-version-id")

    def delete(self, key: str, s3_version: str | None) -> None:
        """Delete an object version for good; it may be gone already. Raises ServiceUnavailable."""
        query = {"versionId": s3_version} if s3_version else {}
        with self._client.request("DELETE", self._prefix + key, query, {}) as response:
            response.read()
            if response.status not in (200, 204, 404):
                raise ServiceUnavailable("S3")

    def put_new(self, key: str, body: bytes) -> bool:
        """Create the object; False if there is one already, which stays. Raises ServiceUnavailable."""
        digest = hashlib.sha256(body).hexdigest()
        headers = {"if-none-match": "*", "content-type": "application/json"}
        with self._client.request("PUT", self._prefix + key, {}, headers, body, digest) as response:
            response.read()
            if response.status not in (200, 409, 412):
                raise ServiceUnavailable("S3")
            return response.status == 200
