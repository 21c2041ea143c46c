"""Objects, their versions and lists of them: the local S3 answers as moto does."""

import hashlib
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.aws.s3_calls import client, code, keys


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
