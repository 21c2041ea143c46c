"""The bucket with boto3: presigned URLs, multipart completion, small objects, purging."""

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from maas.errors import Conflict, ServiceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

PART_BYTES = 64 * 1024 * 1024
_MISSING = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_NO_WHOLE = {"EntityTooSmall", "InvalidPart", "InvalidPartOrder"}


@dataclass(frozen=True, slots=True)
class UploadPart:
    """Upload bytes [offset, offset + size_bytes) of the file with PUT to `url` and exactly these headers."""

    url: str
    offset: int
    size_bytes: int
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "PUT"


@dataclass(frozen=True, slots=True)
class StoredObject:
    size_bytes: int
    s3_version: str | None
    sha256: str | None  # hex; None if S3 has no digest of the whole object (multipart uploads)


class Kept(NamedTuple):
    """A stored object; `metadata` is its user-defined metadata, names in lower case; `sha256` of the body, in hex."""

    body: bytes
    metadata: Mapping[str, str]
    sha256: str


@contextmanager
def _errors() -> Iterator[None]:
    """Raises ServiceUnavailable for errors that may pass (5xx, SlowDown, network); other 4xx pass unchanged."""
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 or error.response["Error"]["Code"] == "SlowDown":
            raise ServiceUnavailable("S3", _said(error)) from error
        raise
    except BotoCoreError as error:
        raise ServiceUnavailable("S3") from error


def _said(error: ClientError) -> str:
    """Status and message, of which an answer to HEAD has none."""
    status, message = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"].get("Message")
    return f"{status}: {message}" if message else str(status)


class ModelBucket:
    def __init__(self, client: "S3Client", bucket: str, expiry_seconds: int) -> None:
        self._s3, self._bucket, self._expiry_seconds = client, bucket, expiry_seconds

    @property
    def name(self) -> str:
        return self._bucket

    def presign(self, key: str, size_bytes: int, sha256: str) -> list[UploadPart]:
        """The requests that upload one file: one PUT up to PART_BYTES, a multipart upload above.

        The digest is part of a single PUT's signature, so S3 refuses other bytes.
        """
        if size_bytes <= PART_BYTES:
            checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
            url = self._presigned("put_object", key, ChecksumSHA256=checksum)
            return [UploadPart(url, 0, size_bytes, {"x-amz-checksum-sha256": checksum})]
        with _errors():
            upload_id = self._s3.create_multipart_upload(Bucket=self._bucket, Key=key)["UploadId"]
        offsets = range(0, size_bytes, PART_BYTES)
        return [
            UploadPart(
                self._presigned("upload_part", key, UploadId=upload_id, PartNumber=number),
                offset,
                min(PART_BYTES, size_bytes - offset),
            )
            for number, offset in enumerate(offsets, start=1)
        ]

    def _presigned(self, operation: str, key: str, **parameters: str | int) -> str:
        parameters |= {"Bucket": self._bucket, "Key": key}
        return self._s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=self._expiry_seconds)

    def stored(self, key: str) -> StoredObject | None:
        try:
            with _errors():
                head = self._s3.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        checksum = head.get("ChecksumSHA256", "")
        whole = checksum and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" and "-" not in checksum
        return StoredObject(
            head["ContentLength"], head.get("VersionId"), base64.b64decode(checksum).hex() if whole else None
        )

    def finish_multipart(self, key: str, size_bytes: int) -> None:
        """Complete the multipart upload that has all parts, if there is one; S3 lists its id and ETags.

        Concurrent calls are fine: one completes it, all return. Raises Conflict for parts of the wrong size.
        """
        with _errors():
            answer = self._s3.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
        for upload in answer.get("Uploads", []):
            if upload["Key"] != key:
                continue
            try:
                with _errors():
                    if self._joined(key, upload["UploadId"], size_bytes):
                        return
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _NO_WHOLE:
                    expected = f"parts of {PART_BYTES:,} bytes, except for the last"
                    raise Conflict(f"upload: S3 cannot join its parts ({code}), expected {expected}") from error
                if code not in _MISSING:  # another call completed it, or it was aborted
                    raise

    def _joined(self, key: str, upload_id: str, size_bytes: int) -> bool:
        parts = self._parts(key, upload_id)
        if sum(size for _, _, size in parts) != size_bytes:
            return False
        done = [{"PartNumber": number, "ETag": etag} for number, etag, _ in parts]
        self._s3.complete_multipart_upload(
            Bucket=self._bucket,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": done},  # type: ignore[typeddict-item]
        )
        return True

    def _parts(self, key: str, upload_id: str) -> list[tuple[int, str, int]]:
        pages = self._s3.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
        return [(part["PartNumber"], part["ETag"], part["Size"]) for page in pages for part in page.get("Parts", [])]

    def write(self, key: str, body: bytes) -> None:
        with _errors():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def listed(self, prefix: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Key and size in bytes of the first `limit` objects with the prefix whose key sorts after `after`."""
        found: list[tuple[str, int]] = []
        while len(found) < limit:
            with _errors():
                answer = self._s3.list_objects_v2(
                    Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=min(limit - len(found), 1000)
                )
            found += [(one["Key"], one["Size"]) for one in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                break
            after = found[-1][0]
        return found

    def sizes(self, prefix: str, limit: int) -> dict[str, int]:
        """Sizes in bytes of the first `limit` objects with the prefix, by key."""
        with _errors():
            answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=limit)
        return {one["Key"]: one["Size"] for one in answer.get("Contents", [])}

    def changes(self, prefix: str, limit: int) -> dict[str, datetime]:
        """When each of the first `limit` objects with the prefix was last written, by key."""
        with _errors():
            answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=limit)
        return {one["Key"]: one["LastModified"] for one in answer.get("Contents", [])}

    def upload(self, key: str, path: Path) -> str | None:
        """Upload a file of any size, in parts if it is large; returns the object version."""
        with _errors():
            try:
                self._s3.upload_file(str(path), self._bucket, key)
            except S3UploadFailedError as error:  # boto3 raises it in place of S3's own error, which tells more
                raise error.__context__ or error from None
            return self._s3.head_object(Bucket=self._bucket, Key=key).get("VersionId")

    def write_new(self, key: str, body: bytes, metadata: Mapping[str, str]) -> Kept:
        """Create the object unless there is one; returns what is stored afterwards.

        Raises ServiceUnavailable, also during a concurrent write of the same key.
        """
        digest = hashlib.sha256(body)
        checksum = base64.b64encode(digest.digest()).decode()
        try:
            with _errors():
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ChecksumSHA256=checksum,
                    IfNoneMatch="*",
                    Metadata=metadata,
                )
            return Kept(body, metadata, digest.hexdigest())
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 409:
                raise ServiceUnavailable("S3") from error
            if status == 412:
                return self._kept(key)
            raise

    def read(self, key: str) -> bytes:
        """The body of a small object."""
        return self._kept(key).body

    def _kept(self, key: str) -> Kept:
        with _errors():
            found = self._s3.get_object(Bucket=self._bucket, Key=key)
            body = found["Body"].read()
            return Kept(body, found["Metadata"], hashlib.sha256(body).hexdigest())

    def presign_download(self, key: str, s3_version: str | None) -> str:
        """A URL for the validated object version, or for the current one if `s3_version` is None."""
        return self._presigned("get_object", key, **({"VersionId": s3_version} if s3_version else {}))

    def delete_prefix(self, prefix: str, deadline: float, last: int | None = None) -> bool:
        """Delete all versions, delete markers and unfinished uploads; False if `deadline` (monotonic) came first.

        With `last`, keys stay that go on with a greater number and a slash after the prefix.
        """
        with _errors():
            pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                if time.monotonic() > deadline:
                    return False
                found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                self._delete(
                    [
                        {"Key": one["Key"], "VersionId": one["VersionId"]}
                        for one in found
                        if not _is_beyond(one["Key"], prefix, last)
                    ]
                )
            uploads = self._s3.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix).get("Uploads", [])
            for upload in uploads:
                if not _is_beyond(upload["Key"], prefix, last):
                    self._s3.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        return True

    def _delete(self, objects: "list[ObjectIdentifierTypeDef]") -> None:
        if not objects:
            return
        answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        if answer.get("Errors"):
            raise ServiceUnavailable("S3")


def _is_beyond(key: str, prefix: str, last: int | None) -> bool:
    number = key.removeprefix(prefix).partition("/")[0]
    return last is not None and number.isdecimal() and int(number) > last
