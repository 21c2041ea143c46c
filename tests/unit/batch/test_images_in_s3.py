"""Images that records name: only whole objects of this bucket, below the folders of a job's input, and small ones."""

import pytest

from maas.aws.s3_reader import S3Reader
from maas.batch import images
from maas.batch.images import ImagesInS3
from maas.errors import InvalidRequest, TooLarge
from support.aws.engine import Cloud

INSIDE = ("batch/data/a.png", "batch/input/m/1/a.png", "batch/output/folder/a.png", "batch/data/Ä ?#%2e+&=.png")
OUTSIDE = ("models/m/1/source/config.json", "batch/jobs/j/request", "batch/async/j/request", "inbox/m/model.onnx")


@pytest.fixture
def reader(cloud: Cloud) -> ImagesInS3:
    for key in INSIDE + OUTSIDE:
        cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=key, Body=key.encode())
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="batch/data/empty.png", Body=b"")
    settings = cloud.settings
    return ImagesInS3(S3Reader(settings.region, settings.endpoint("s3"), settings.bucket), settings.bucket)


@pytest.mark.parametrize("key", INSIDE)
def test_object_below_the_input_folders(reader: ImagesInS3, key: str) -> None:
    assert reader.read(f"s3://{reader.bucket}/{key}") == key.encode()


def test_empty_object(reader: ImagesInS3) -> None:
    assert reader.read(f"s3://{reader.bucket}/batch/data/empty.png") == b""


@pytest.mark.parametrize(
    "location",
    [
        *(f"s3://BUCKET/{key}" for key in OUTSIDE),
        "s3://BUCKET/batch/data/../../models/m/1/source/config.json",
        "s3://BUCKET/batch/data/..%2f..%2fmodels/m/1/source/config.json",
        "s3://BUCKET/batch/data/",
        "s3://BUCKET/batch/data",
        "s3://BUCKET/",
        "s3://BUCKET/./batch/data/a.png",
        "s3://BUCKET//batch/data/a.png",
        "s3://other/batch/data/a.png",
        "s3://BUCKET.evil/batch/data/a.png",
        "S3://BUCKET/batch/data/a.png",
        "batch/data/a.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "https://example.com/a.png",
        "",
    ],
)
def test_any_other_place_is_refused(reader: ImagesInS3, location: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        reader.read(location.replace("BUCKET", reader.bucket))
    assert refused.value.field == "image"


def test_large_object_is_refused_before_it_is_read(reader: ImagesInS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_BYTES", 15)
    with pytest.raises(TooLarge, match="got 16 bytes, expected at most 15"):
        reader.read(f"s3://{reader.bucket}/{INSIDE[0]}")
    monkeypatch.setattr(images, "MOST_BYTES", 16)
    assert reader.read(f"s3://{reader.bucket}/{INSIDE[0]}") == INSIDE[0].encode()
