"""What the local S3 does for the local stack alone: events, refusals, files that were lost."""

from pathlib import Path

import httpx
import pytest

from maas_local.s3.application import S3
from support.aws.s3_calls import Told, client


@pytest.mark.parametrize(("method", "query"), [("PUT", "acl"), ("GET", "tagging"), ("PUT", "lifecycle")])
def test_other_operations_are_refused(ours: str, method: str, query: str) -> None:
    answer = httpx.request(method, f"{ours}/any/key?{query}", timeout=60)
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
