"""Signed HTTP requests to AWS with the standard library, for the inference function and the authorizer.

Importing boto3 and creating its two clients takes longer than importing numpy and onnxruntime together: most of a cold
start (docs/adr/0002). Signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

import hashlib
import hmac
import http.client
import json
import os
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from maas.aws.dynamodb import CallFailed
from maas.errors import ServiceUnavailable

ATTEMPTS = 4
TIMEOUT_SECONDS = 10
_random = random.SystemRandom()  # environments restored from one snapshot share the state of any other generator
CHUNK_BYTES = 1 << 20
MAX_ERROR_BYTES = 10_000
_MESSAGE = re.compile(r'<Message>([^<]+)|"[mM]essage": ?"([^"]+)"')
_NAMES = {"s3": "S3", "dynamodb": "DynamoDB", "sqs": "SQS"}
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None


def credentials() -> Credentials:
    """From the environment variables that Lambda sets, else (SnapStart, a user's profile) as botocore finds them."""
    if "AWS_ACCESS_KEY_ID" in os.environ and "AWS_SECRET_ACCESS_KEY" in os.environ:
        return Credentials(
            os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN")
        )
    found = _botocore_credentials()
    if found is None:
        raise ServiceUnavailable("AWS credentials")
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _botocore_credentials() -> Any:
    from botocore.session import Session

    if not hasattr(_botocore_credentials, "found"):
        _botocore_credentials.found = Session().get_credentials()  # type: ignore[attr-defined]
    return _botocore_credentials.found  # type: ignore[attr-defined]


class SignedClient:
    """Requests to one AWS service over one kept-alive connection per thread, retried: all of them are idempotent."""

    def __init__(
        self, service: str, region: str, url: str, attempts: int = ATTEMPTS, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._service, self._region = service, region
        self._attempts, self._timeout_seconds = attempts, timeout_seconds
        parts = urlsplit(url)
        self._host, self._tls = parts.netloc, parts.scheme == "https"
        self._local = threading.local()

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | BinaryIO = b"",
        sha256: str | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The response, of any status except 5xx and 429; read it inside the block. Raises ServiceUnavailable.

        `sha256` is the body's digest if known; a file needs one.
        """
        said = ""
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(_random.uniform(0, 0.05 * 2**attempt))
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                response = self._send(method, path, query, headers, body, sha256)
            except (OSError, http.client.HTTPException):
                self._close()
                continue
            if response.status >= 500 or response.status == 429:
                said = _said(response)
                self._close()
                continue
            try:
                yield response
            finally:
                if not response.isclosed():  # unread bytes would be taken for the next response
                    self._close()
            return
        raise ServiceUnavailable(_NAMES.get(self._service, self._service), said)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | BinaryIO,
        sha256: str | None,
    ) -> http.client.HTTPResponse:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
            connection = self._local.connection = kind(self._host, timeout=self._timeout_seconds)
        path, query_string = quote(path, safe="/-_.~"), _query_string(query)
        if sha256 is None:
            sha256 = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) and body else EMPTY_SHA256
        signed = self._signed(method, path, query_string, headers, sha256)
        connection.request(method, f"{path}?{query_string}" if query_string else path, body or None, signed)
        response: http.client.HTTPResponse = connection.getresponse()
        return response

    def _close(self) -> None:
        connection = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _signed(
        self, method: str, path: str, query_string: str, headers: Mapping[str, str], payload_hash: str
    ) -> dict[str, str]:
        keys = credentials()
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        to_sign = {name.lower(): value for name, value in headers.items()}
        to_sign |= {"host": self._host, "x-amz-date": now, "x-amz-content-sha256": payload_hash}
        if keys.token:
            to_sign["x-amz-security-token"] = keys.token
        names = sorted(to_sign)
        canonical_headers = "".join(f"{name}:{to_sign[name]}\n" for name in names)
        canonical = "\n".join([method, path, query_string, canonical_headers, ";".join(names), payload_hash])
        scope = f"{now[:8]}/{self._region}/{self._service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + keys.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"Credential={keys.access_key}/{scope}"
        to_sign["authorization"] = (
            f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return to_sign


def _said(response: http.client.HTTPResponse) -> str:
    """Status and message of an error: XML of S3, JSON of the others."""
    import html  # after a failure only: a cold start does not wait for it

    try:
        text = response.read(MAX_ERROR_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        text = ""
    found = _MESSAGE.search(text)
    return f"{response.status}: {html.unescape(found[1] or found[2])}" if found else str(response.status)


def _query_string(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))


def service_url(service: str, region: str, endpoint_url: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return endpoint_url or f"https://{service}.{region}.{suffix}"


class SignedDynamoDb:
    """A `maas.aws.dynamodb.Call` for reads and idempotent writes."""

    def __init__(
        self,
        region: str,
        endpoint_url: str,
        attempts: int = ATTEMPTS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        url = service_url("dynamodb", region, endpoint_url)
        self._client = SignedClient("dynamodb", region, url, attempts, timeout_seconds)

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"}
        with self._client.request("POST", "/", {}, headers, json.dumps(request).encode()) as response:
            answer: dict[str, Any] = json.loads(response.read())
            if response.status != 200:
                reasons = [reason.get("Code", "") for reason in answer.get("CancellationReasons", [])]
                raise CallFailed(answer.get("__type", "").rpartition("#")[2], answer.get("message", ""), reasons)
            return answer
