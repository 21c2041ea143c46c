"""Reads objects with signed requests."""

import hashlib
import http.client
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from maas.aws.signed import CHUNK_BYTES, SignedClient, service_url
from maas.errors import NotFound, ReadRefused, ServiceUnavailable, TooLarge

ATTEMPTS = 3
PART_BYTES = 16 * 1024 * 1024
PARALLEL = 6  # connections that fill a function's network; more are not faster


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

    def download(self, key: str, to: Path, size_bytes: int, s3_version: str | None = None) -> Downloaded:
        """Download an object into a file, in parallel parts; returns the SHA-256 of the written bytes and the version.

        Raises NotFound if there is no such object, ReadRefused, ServiceUnavailable if S3 keeps failing.
        """
        with to.open("wb") as file:
            file.truncate(size_bytes)  # fails now if the disk is too small
        starts = range(0, max(size_bytes, 1), PART_BYTES)
        s3_version = self._part(key, to, 0, min(PART_BYTES, size_bytes), s3_version)
        digest = hashlib.sha256()
        with ThreadPoolExecutor(PARALLEL) as pool, to.open("rb") as file:
            parts = [
                pool.submit(self._part, key, to, start, min(PART_BYTES, size_bytes - start), s3_version)
                for start in starts[1:]
            ]
            for part in [None, *parts]:
                if part:
                    part.result()
                digest.update(file.read(PART_BYTES))
        return Downloaded(digest.hexdigest(), s3_version)

    def read(self, key: str, most_bytes: int | None = None) -> bytes:
        """The body of a small object. Raises TooLarge for one of more than `most_bytes`, and as `download` does."""
        with self._client.request("GET", self._prefix + key, {}, {}) as response:
            _check(response, key, None)
            if most_bytes is not None and (response.length or 0) > most_bytes:
                raise TooLarge(f"object {key:.200}: got {response.length:,} bytes, expected at most {most_bytes:,}")
            return response.read()

    def read_range(self, key: str, start: int, end: int, s3_version: str | None) -> bytes:
        """Bytes [start, end) of an object version. Raises as `download` does."""
        query = {"versionId": s3_version} if s3_version else {}
        for _ in range(ATTEMPTS):
            try:
                headers = {"range": f"bytes={start}-{end - 1}"}
                with self._client.request("GET", self._prefix + key, query, headers) as response:
                    _check(response, key, s3_version)
                    body = response.read()
                    if len(body) != end - start:
                        raise http.client.IncompleteRead(body, end - start - len(body))
                    return body
            except (ConnectionError, TimeoutError, http.client.HTTPException):
                continue
        raise ServiceUnavailable("S3")

    def _part(self, key: str, to: Path, start: int, size_bytes: int, s3_version: str | None) -> str | None:
        """Download bytes [start, start + size_bytes) into their place in the file; returns the object version."""
        query = {"versionId": s3_version} if s3_version else {}
        headers = {"range": f"bytes={start}-{start + size_bytes - 1}"} if size_bytes else {}
        for _ in range(ATTEMPTS):
            try:
                with self._client.request("GET", self._prefix + key, query, headers) as response:
                    _check(response, key, s3_version)
                    _write(response, to, start, size_bytes)
                    return response.headers.get("x-amz-version-id")
            except (ConnectionError, TimeoutError, http.client.HTTPException):
                continue
        raise ServiceUnavailable("S3")


def _check(response: http.client.HTTPResponse, key: str, s3_version: str | None) -> None:
    if response.status == 404:
        raise NotFound("object", key)
    if response.status == 403:
        raise ReadRefused(key, s3_version)
    if response.status not in (200, 206):
        raise RuntimeError(f"S3 answered {response.status} for {key}")


def _write(response: http.client.HTTPResponse, to: Path, start: int, size_bytes: int) -> None:
    """Raises http.client.IncompleteRead when the connection ends early."""
    left = size_bytes
    with to.open("r+b") as file:
        file.seek(start)
        while left and (chunk := response.read(min(CHUNK_BYTES, left))):
            file.write(chunk)
            left -= len(chunk)
    if left:
        raise http.client.IncompleteRead(b"", left)
