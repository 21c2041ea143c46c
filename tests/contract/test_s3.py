"""What the product, boto3 and the AWS CLI ask of S3: the local engine answers as moto does."""

import base64
import hashlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.serving import make_server

from maas_local.s3.application import S3

Told = list[tuple[str, str, str]]
MIN_PART = 5 << 20


@pytest.fixture(scope="module")
def told() -> Told:
    """Reason, bucket and key of each event."""
    return []


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, told: Told) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("s3")
    application = S3(
        folder / "index", folder / "objects", lambda reason, bucket, version: told.append((reason, bucket, version.key))
    )
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["ours", "moto"])
def s3(request: pytest.FixtureRequest) -> Any:
    url = request.getfixturevalue("ours" if request.param == "ours" else "moto_url")
    return client(url)


def client(url: str) -> Any:
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"b-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer: Any = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def keys(listed: list[dict[str, Any]]) -> list[str]:
    return [one["Key"] for one in listed]


def test_object_comes_back_with_its_headers(s3: Any, bucket: str) -> None:
    put = s3.put_object(
        Bucket=bucket, Key="ä b/+%?.json", Body=b"{}", ContentType="application/json", Metadata={"who": "ann"}
    )
    got = s3.get_object(Bucket=bucket, Key="ä b/+%?.json")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"{}", "application/json", {"who": "ann"})
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(b"{}").hexdigest()}"'
    assert got["VersionId"] == put["VersionId"]
    head = s3.head_object(Bucket=bucket, Key="ä b/+%?.json")
    assert (head["ContentLength"], head["VersionId"]) == (2, put["VersionId"])


@pytest.mark.parametrize(
    ("asked", "expected"), [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-3", b"789"), ("bytes=8-99", b"89")]
)
def test_range(s3: Any, bucket: str, asked: str, expected: bytes) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert (got["Body"].read(), got["ResponseMetadata"]["HTTPStatusCode"]) == (expected, 206)
    assert got["ContentRange"].endswith("/10")


def test_range_of_an_older_version(s3: Any, bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    got = s3.get_object(Bucket=bucket, Key="k", VersionId=old, Range="bytes=2-4")
    assert (got["Body"].read(), got["VersionId"]) == (b"234", old)


def test_range_beyond_the_end(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"01")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=5-9")
    assert code(error) == ("InvalidRange", 416)


@pytest.mark.parametrize("key", ["absent", "deleted"])
def test_no_such_key(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key="deleted", Body=b"")
    s3.delete_object(Bucket=bucket, Key="deleted")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key=key)
    assert code(error) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=bucket, Key=key)
    assert code(error) == ("404", 404)


def test_no_such_bucket(s3: Any) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="absent-bucket", Key="k", Body=b"1")
    assert code(error) == ("NoSuchBucket", 404)


def test_deleted_object_returns_with_its_marker_gone(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def test_version_deleted_for_good(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=second)
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == first


def test_object_is_created_once(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert code(error) == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfNoneMatch="*")  # a marker is no object


def test_concurrent_creations_have_one_winner(ours: str) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="race")
    won: list[int] = []

    def create(number: int) -> None:
        try:
            s3.put_object(Bucket="race", Key="k", Body=str(number).encode(), IfNoneMatch="*")
            won.append(number)
        except ClientError:
            pass

    threads = [threading.Thread(target=create, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [int(s3.get_object(Bucket="race", Key="k")["Body"].read())] == won


def test_conditional_reads(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["ETag"] == etag
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)
    assert code(error) == ("304", 304)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"')
    assert code(error) == ("PreconditionFailed", 412)


def test_lists_in_pages(s3: Any, bucket: str) -> None:
    made = sorted(f"p/{number:02}" for number in range(25))
    for key in [*made, "o", "q"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="p/", PaginationConfig={"PageSize": 10})
    )
    assert [len(page["Contents"]) for page in pages] == [10, 10, 5]
    assert [key for page in pages for key in keys(page["Contents"])] == made
    after = s3.list_objects_v2(Bucket=bucket, Prefix="p/", StartAfter="p/22")
    assert keys(after["Contents"]) == ["p/23", "p/24"]


def test_folders(s3: Any, bucket: str) -> None:
    for key in ("a", "b/1", "b/2", "b/c/3", "d/4", "e"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
    )
    assert [key for page in pages for key in keys(page.get("Contents", []))] == ["a", "e"]
    assert [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])] == ["b/", "d/"]
    below = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="b/")
    assert (keys(below["Contents"]), below["CommonPrefixes"]) == (["b/1", "b/2"], [{"Prefix": "b/c/"}])


def test_versions_in_pages(s3: Any, bucket: str) -> None:
    made = [s3.put_object(Bucket=bucket, Key=key, Body=b"1")["VersionId"] for key in ("a", "b", "b", "b", "c")]
    marker = s3.delete_object(Bucket=bucket, Key="c")["VersionId"]
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
    versions = [one for page in pages for one in page.get("Versions", [])]
    assert [one["VersionId"] for one in versions if one["Key"] == "b"] == made[3:0:-1]
    assert [one["VersionId"] for one in versions if one["IsLatest"]] == [made[0], made[3]]
    markers = [one for page in pages for one in page.get("DeleteMarkers", [])]
    assert [(one["VersionId"], one["IsLatest"]) for one in markers] == [(marker, True)]


def test_many_objects_deleted(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="a<&>", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="b", Body=b"1")
    answer = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "a<&>", "VersionId": first}, {"Key": "b"}, {"Key": "absent"}]}
    )
    assert not answer.get("Errors")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    versions = s3.list_object_versions(Bucket=bucket)
    assert keys(versions["Versions"]) == ["b"]


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


def test_copy(s3: Any, bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="from", Body=b"1", ContentType="text/csv")["VersionId"]
    s3.put_object(Bucket=bucket, Key="from", Body=b"2")
    s3.copy_object(Bucket=bucket, Key="to/ü", CopySource={"Bucket": bucket, "Key": "from", "VersionId": old})
    got = s3.get_object(Bucket=bucket, Key="to/ü")
    assert (got["Body"].read(), got["ContentType"]) == (b"1", "text/csv")


def test_copy_outlives_its_source(ours: str) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="copies")
    s3.put_object(Bucket="copies", Key="from", Body=b"1")
    s3.copy_object(Bucket="copies", Key="to", CopySource="copies/from")
    s3.put_object(Bucket="copies", Key="from", Body=b"2")
    s3.delete_object(Bucket="copies", Key="from")
    assert s3.get_object(Bucket="copies", Key="to")["Body"].read() == b"1"


def test_presigned_put_keeps_its_digest(ours: str) -> None:  # moto keeps none of a header that is not signed
    s3, bucket = client(ours), "presigned"
    s3.create_bucket(Bucket=bucket)
    digest = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
    parameters = {"Bucket": bucket, "Key": "k", "ChecksumSHA256": digest}
    url = s3.generate_presigned_url("put_object", Params=parameters)
    sent = httpx.put(url, content=b"right", headers={"x-amz-checksum-sha256": digest})
    assert sent.status_code == 200
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == digest


def test_body_that_differs_from_its_digest_is_refused(ours: str) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="digests")
    digest = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "digests", "Key": "k", "ChecksumSHA256": digest})
    sent = httpx.put(url, content=b"wrong", headers={"x-amz-checksum-sha256": digest})
    assert (sent.status_code, "<Code>BadDigest</Code>" in sent.text) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket="digests")


def test_chunked_body_of_other_clients(ours: str) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="chunks")
    body = b"4;chunk-signature=0\r\nabcd\r\n2\r\nef\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked"}
    assert httpx.put(f"{ours}/chunks/k", content=body, headers=headers).status_code == 200
    got = s3.get_object(Bucket="chunks", Key="k")
    assert (got["Body"].read(), got.get("ContentEncoding")) == (b"abcdef", None)


@pytest.mark.parametrize(("method", "query"), [("PUT", "acl"), ("GET", "tagging"), ("PUT", "lifecycle")])
def test_other_operations_are_refused(ours: str, method: str, query: str) -> None:
    answer = httpx.request(method, f"{ours}/any/key?{query}")
    assert (answer.status_code, "NotImplemented" in answer.text, query in answer.text) == (501, True, True)


def test_each_new_object_is_told_once(ours: str, told: Told) -> None:
    s3 = client(ours)
    s3.create_bucket(Bucket="silent")
    s3.put_object(Bucket="silent", Key="k", Body=b"1")
    s3.create_bucket(Bucket="loud")
    s3.put_bucket_notification_configuration(Bucket="loud", NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket="loud", Key="a", Body=b"1")
    s3.copy_object(Bucket="loud", Key="b", CopySource="loud/a")
    s3.delete_object(Bucket="loud", Key="a")
    assert [one for one in told if one[1] in ("silent", "loud")] == [
        ("PutObject", "loud", "a"),
        ("CopyObject", "loud", "b"),
    ]


def test_lost_files_are_swept(tmp_path: Path) -> None:
    application = S3(tmp_path / "index", tmp_path / "objects", lambda *_: None)
    storage = application._storage
    storage.index.create_bucket("b")
    bucket = storage.index.bucket("b")
    kept, etag = storage.blobs.write([b"kept"])
    storage.index.put(bucket, "k", etag=etag, blobs=(kept,))
    lost, _ = storage.blobs.write([b"written by a process that was killed before it said so"])
    assert S3(tmp_path / "index", tmp_path / "objects", lambda *_: None).sweep() == []
    assert list(storage.blobs.names()) == [kept.name]
    assert lost.name != kept.name
