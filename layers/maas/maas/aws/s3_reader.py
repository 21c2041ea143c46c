"""Reading model files from the bucket."""

import hashlib
import http.client
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from maas.aws.signed import CHUNK_BYTES, SignedClient, service_url
from maas.errors import NotFound, ServiceUnavailable

ATTEMPTS = 3


class Downloaded(NamedTuple):
    sha256: str
    s3_version: str | None


class S3Reader:
    def __init__(self, region: str, endpoint_url: str, bucket: str) -> None:
        if endpoint_url:
            self._prefix, url = f"/{bucket}/", endpoint_url
        else:
            host = urlsplit(service_url("s3", region, "")).netloc
            self._prefix, url = "/", f"https://{bucket}.{host}"
        self._client = SignedClient("s3", region, url)

    def download(self, key: str, to: Path, s3_version: str | None = None) -> Downloaded:
        """Stream an object into a file; returns the SHA-256 of what was written and the object version that it was.

        Raises NotFound if there is no such object, ServiceUnavailable if S3 keeps failing.
        """
        query = {"versionId": s3_version} if s3_version else {}
        for _ in range(ATTEMPTS):
            try:
                with self._client.request("GET", self._prefix + key, query, {}) as response:
                    if response.status == 404:
                        raise NotFound("object", key)
                    if response.status != 200:
                        raise RuntimeError(f"S3 answered {response.status} for {key}")
                    return Downloaded(_write(response, to), response.headers.get("x-amz-version-id"))
            except (OSError, http.client.HTTPException):
                continue
        raise ServiceUnavailable("S3")


def _write(response: http.client.HTTPResponse, to: Path) -> str:
    """Raises http.client.IncompleteRead when the connection ends early."""
    digest, left = hashlib.sha256(), int(response.headers["content-length"])
    with to.open("wb") as file:
        while chunk := response.read(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
    if left:
        raise http.client.IncompleteRead(b"", left)
    return digest.hexdigest()
