"""The API's operations on jobs over moto: refusals before a job is created, uploads, results."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from conftest import LoadFunction
from maas import bootstrap
from maas.aws.clients import client
from maas.aws.s3 import ModelBucket
from maas.batch import formats, locations
from maas.batch.request_checks import SUFFIXES
from maas.batch.state.job_records import BatchJob, JobRequest, JobStatus, Part, Shard, ShardStatus
from maas.batch.submission import Submission
from maas.errors import Conflict, InvalidRequest, TooLarge
from maas.records import ModelFile
from support.aws.engine import Cloud
from support.events import EVENTS, seed

ROWS = "batch/data/rows.jsonl"


@pytest.fixture
def seeded(cloud: Cloud) -> Cloud:
    seed(cloud)
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=ROWS, Body=b"[1, 2, 3]\n")
    return cloud


@pytest.fixture
def submission(seeded: Cloud) -> Submission:
    return bootstrap.submission(seeded.settings)


def create(cloud: Cloud, **body: Any) -> BatchJob:
    version = bootstrap.registry(cloud.settings).resolve("example", "1")
    upload = ModelFile(**body.pop("upload")) if "upload" in body else None
    return bootstrap.submission(cloud.settings).create(version, JobRequest(upload=upload, **body), "tester", None)[0]


def declared(name: str = "x.jsonl", size_bytes: int = 10) -> dict[str, Any]:
    return {"name": name, "size_bytes": size_bytes, "sha256": "0" * 64}


def jobs_of(cloud: Cloud) -> list[BatchJob]:
    return bootstrap.jobs(cloud.settings).page(100, None)[0]


@pytest.mark.full
def test_planner_announces_a_cancelled_job(seeded: Cloud, load_function: LoadFunction) -> None:
    """The API call does not announce it: a slow webhook takes longer than a call may."""
    settings = seeded.settings
    sns, sqs = (client(name, settings.region, settings.endpoint_url) for name in ("sns", "sqs"))
    topic = sns.create_topic(Name=f"maas-{settings.table}")["TopicArn"]
    url = sqs.create_queue(QueueName=f"told-{settings.table}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    job = create(seeded, upload=declared(), notify=topic)

    cancelled = bootstrap.submission(settings).cancel(job.id)
    assert (cancelled.status, cancelled.announced) == (JobStatus.CANCELLED, "")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)

    start = json.loads((EVENTS / "planner_drop.json").read_text())
    start["detail"]["object"] |= {"key": f"{locations.UPLOADS}{job.id}/{locations.START}", "size": 2}
    bucket = bootstrap.bucket(settings)
    assert bucket.read(f"{locations.UPLOADS}{job.id}/{locations.START}") == b"{}"
    for _ in range(2):
        assert load_function("PlannerFunction").lambda_handler(start, None)["status"] == "CANCELLED"
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["id"], told["status"]) == (job.id, "CANCELLED")
    assert bootstrap.submission(settings).cancel(job.id).announced == "CANCELLED"


def test_upload_suffixes_match_the_formats() -> None:
    assert {formats.format_of(f"x{one}") for one in SUFFIXES} == {one.removeprefix(".") for one in SUFFIXES}
    assert {one.removesuffix(".gz") for one in SUFFIXES} == {f".{one}" for one in formats.FORMATS}
    assert {one for one in SUFFIXES if one.endswith(".gz")} == {f".{one}.gz" for one in formats.PACKABLE}


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("name", [locations.START, "x.txt", "x.npy.gz", "a.csv/x"])
def test_upload_of_unknown_format_creates_no_job(seeded: Cloud, name: str) -> None:
    before = jobs_of(seeded)
    with pytest.raises(InvalidRequest, match=r"upload\.name: got .*, expected a name that ends in one of") as refused:
        create(seeded, upload=declared(name))
    assert refused.value.field == "upload.name"
    assert jobs_of(seeded) == before
    assert create(seeded, upload=declared("X.CSV.GZ")).status is JobStatus.UPLOADING
    assert create(seeded, kind="infer", upload=declared(name)).input_key.endswith("/request")


@pytest.mark.full
def test_upload_size_limit(seeded: Cloud) -> None:
    before = jobs_of(seeded)
    for size_bytes in (100 * 1024**3 + 1, 10**30):
        with pytest.raises(TooLarge, match=r"at most 107,374,182,400; put a larger file below batch/data/ with `aws"):
            create(seeded, upload=declared(size_bytes=size_bytes))
    with pytest.raises(TooLarge, match=r"at most 1,073,741,824; a job of kind batch takes more"):
        create(seeded, kind="infer", upload=declared("request", 1024**3 + 1))
    assert jobs_of(seeded) == before
    assert create(seeded, kind="infer", upload=declared("request", 1024**3)).status is JobStatus.UPLOADING


@pytest.mark.full
def test_response_to_the_largest_upload_fits_lambda(seeded: Cloud, load_function: LoadFunction) -> None:
    event = json.loads((EVENTS / "management_create_job.json").read_text())
    upload = declared(size_bytes=100 * 1024**3)
    handler = load_function("ManagementFunction").lambda_handler
    result = handler(event | {"body": json.dumps({"model": "example", "upload": upload})}, None)
    assert result["statusCode"] == 201
    assert len(json.loads(result["body"])["upload"]) == 1600
    assert len(result["body"]) + 1600 * 1000 < 6_000_000  # each URL also holds a session token


@pytest.mark.full
def test_input_key_length_limit(submission: Submission, seeded: Cloud) -> None:
    longest = locations.DATA + "ü" * 500
    with pytest.raises(InvalidRequest, match="input: got a key of 1,031 bytes, expected at most 1,024"):
        create(seeded, input=f"s3://{seeded.settings.bucket}/{longest}" + "x" * 20)
    seeded.s3.put_object(Bucket=seeded.settings.bucket, Key=longest, Body=b"[1, 2, 3]\n")
    assert create(seeded, input=longest).input_key == longest


@pytest.mark.full
def test_option_names_limit(seeded: Cloud, load_function: LoadFunction) -> None:
    load_function("ManagementFunction")
    options = importlib.import_module("schemas.job_requests").JobOptions
    lists = ("columns", "exclude", "select")
    for one in lists:
        with pytest.raises(ValidationError, match="at least 1 item"):
            options.model_validate({one: []})
    wide = {one: ["ü" * 100] * 107 for one in lists}
    with pytest.raises(ValidationError, match="got 64,200 bytes of names in columns, exclude, select and parameters"):
        options.model_validate(wide)
    many = {"columns": ["1234567"] * 5000, "exclude": ["12345"] * 5000, "select": ["x" * 20] * 200}
    assert create(seeded, input=ROWS, options=many).options == many


@pytest.mark.full
def test_pages_of_results_are_bounded(seeded: Cloud) -> None:
    """300 outputs a shard: the limit of 2,500 falls within a shard."""
    jobs, job = bootstrap.jobs(seeded.settings), create(seeded, input=ROWS)
    shards = [Shard(f"{index:05d}", index, index + 1) for index in range(10)]
    jobs.shards.add(job, shards)
    for shard in shards:
        parts = tuple(Part(f"{job.output}part-{shard.name}.{one}.npy", 1, "0" * 64) for one in range(300))
        jobs.shards.finish(job, shard, replace(shard, status=ShardStatus.DONE, parts=parts), [])
    first, _, last = bootstrap.submission(seeded.settings).shown_results(job.id, 1000, None)
    rest, _, end = bootstrap.submission(seeded.settings).shown_results(job.id, 1000, last)
    assert (len(first), len(rest), end) == (2400, 600, None)
    assert [one.name for one in first + rest] == [f"part-{s.name}.{one}.npy" for s in shards for one in range(300)]


def test_default_page_of_results(load_function: LoadFunction) -> None:
    document = load_function("ManagementFunction").app.openapi()
    parameters = document["paths"]["/api/v1/jobs/{job}/results"]["get"]["parameters"]
    (limit,) = (one["schema"] for one in parameters if one["name"] == "limit")
    assert (limit["default"], limit["maximum"]) == (250, 1000)


def begun(cloud: Cloud, bucket: ModelBucket, key: str, *sizes: int) -> None:
    """Start a multipart upload with parts of these sizes."""
    named = {"Bucket": bucket.name, "Key": key}
    upload = cloud.s3.create_multipart_upload(**named)["UploadId"]
    for number, size in enumerate(sizes, start=1):
        cloud.s3.upload_part(**named, UploadId=upload, PartNumber=number, Body=b"x" * size)


def test_upload_parts_of_wrong_sizes_are_a_conflict(cloud: Cloud) -> None:
    bucket = bootstrap.bucket(cloud.settings)
    begun(cloud, bucket, "x", 1, 1)
    with pytest.raises(Conflict, match=r"cannot join its parts \(EntityTooSmall\), expected parts of 67,108,864 bytes"):
        bucket.finish_multipart("x", 2)


@pytest.mark.parametrize("moment", ["ListParts", "CompleteMultipartUpload"])
def test_concurrent_completion_of_an_upload(cloud: Cloud, moment: str) -> None:
    first, s3 = bootstrap.bucket(cloud.settings), cloud.s3
    later = ModelBucket(s3, cloud.settings.bucket, 60)
    begun(cloud, first, "x", 10)
    overtake: list[Callable[[], None]] = [lambda: first.finish_multipart("x", 10)]
    s3.meta.events.register(f"before-call.s3.{moment}", lambda **_: overtake.pop()() if overtake else None)
    later.finish_multipart("x", 10)
    stored = later.stored("x")
    assert overtake == []
    assert stored
    assert stored.size_bytes == 10
