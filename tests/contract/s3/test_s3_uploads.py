"""Uploads in parts, with presigned URLs and with digests: the local S3 answers as moto does."""

import base64
import hashlib
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from support.aws.s3_calls import client, code, keys

MIN_PART = 5 << 20


def parts_of(s3: Any, bucket: str, contents: list[bytes]) -> tuple[str, list[dict[str, Any]]]:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="text/csv")["UploadId"]
    parts = []
    for number, content in enumerate(contents, start=1):
        answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=content)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return upload, parts


def test_upload_in_parts(s3: Any, bucket: str) -> None:
    contents = [b"a" * MIN_PART, b"b" * MIN_PART, b"end"]
    upload, parts = parts_of(s3, bucket, contents)
    assert keys(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == ["k"]
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]
    assert [(one["PartNumber"], one["Size"]) for one in listed] == [(1, MIN_PART), (2, MIN_PART), (3, 3)]
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={MIN_PART - 1}-{2 * MIN_PART}")
    assert got["Body"].read() == b"a" + contents[1] + b"e"
    assert (got["ContentType"], got["ETag"][-3:]) == ("text/csv", '-3"')
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def complete(s3: Any, bucket: str, upload: str, parts: list[dict[str, Any]]) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    return code(error)


def test_broken_uploads_are_refused(ours: str) -> None:  # moto has an order of its own, and forgets no upload
    s3, bucket = client(ours), "broken"
    s3.create_bucket(Bucket=bucket)
    upload, parts = parts_of(s3, bucket, [b"small", b"last"])
    assert complete(s3, bucket, upload, parts) == ("EntityTooSmall", 400)
    assert complete(s3, bucket, upload, [parts[0] | {"ETag": '"other"'}]) == ("InvalidPart", 400)
    assert complete(s3, bucket, upload, parts[::-1]) == ("InvalidPartOrder", 400)
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert complete(s3, bucket, upload, parts) == ("NoSuchUpload", 404)


def test_presigned_put_keeps_its_digest(ours: str) -> None:  # moto keeps none of a header that is not signed
    s3, bucket = client(ours), "presigned"
    s3.create_bucket(Bucket=bucket)
    digest = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
    parameters = {"Bucket": bucket, "Key": "k", "ChecksumSHA256": digest}
    url = s3.generate_presigned_url("put_object", Params=parameters)
    sent = httpx.put(url, content=b"right", headers={"x-amz-checksum-sha256": digest}, timeout=60)
    assert sent.status_code == 200
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == digest


def test_body_that_differs_from_its_digest_is_refused(ours: str) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="digests")
    digest = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "digests", "Key": "k", "ChecksumSHA256": digest})
    sent = httpx.put(url, content=b"wrong", headers={"x-amz-checksum-sha256": digest}, timeout=60)
    assert (sent.status_code, "<Code>BadDigest</Code>" in sent.text) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket="digests")


def test_chunked_body_of_other_clients(ours: str) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="chunks")
    body = b"4;chunk-signature=0\r\nabcd\r\n2\r\nef\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked"}
    assert httpx.put(f"{ours}/chunks/k", content=body, headers=headers, timeout=60).status_code == 200
    got = s3.get_object(Bucket="chunks", Key="k")
    assert (got["Body"].read(), got.get("ContentEncoding")) == (b"abcdef", None)
