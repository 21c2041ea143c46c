"""Batch jobs over HTTP and by drop, with real S3, EventBridge and SQS events."""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from arro3.core import Array, Table
from arro3.io import read_parquet, write_parquet

from maas_client import MaasClient
from maas_local.stack import LocalStack
from support import onnx_models
from support.system import Bucket, wait_for_job

Jobs = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    for name, content in (("rows", onnx_models.linear(1.0)), ("rows", onnx_models.linear(2.0))):
        path.write_bytes(content)
        maas.push(path, name)
    maas.aliases.set("rows", "prod", 1)


def create(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/jobs", json={"model": "rows"} | body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json()['id']}"
    return answer.json()  # type: ignore[no-any-return]


def records(bucket: Bucket, job: dict[str, Any]) -> list[dict[str, Any]]:
    keys = [key for key in bucket.keys(job["output"]) if "part-" in key and key.endswith(".jsonl")]
    return [json.loads(line) for key in keys for line in (bucket.get(key) or b"").splitlines()]


def jsonl(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def job_of_drop(http: httpx.Client, key: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        for job in http.get("/api/v1/jobs").json()["jobs"]:
            if job["input"] == key:
                return wait_for_job(http, job["id"])
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_drop_becomes_predictions(http: httpx.Client, bucket: Bucket) -> None:
    key = "batch/input/rows/prod/drop.jsonl"
    bucket.put(key, jsonl([{"x": [1, 2, 3]}, {"x": "no"}, {"x": [4, 5, 6]}]))
    job = job_of_drop(http, key)
    assert (job["status"], job["version"], job["actor"]) == ("SUCCEEDED", 1, "batch")
    first, bad, last = records(bucket, job)
    assert (first, last) == ({"y": [6.0, 6.0]}, {"y": [15.0, 15.0]})
    assert bad["record"] == {"x": "no"}
    assert "x" in bad["error"]
    manifest = json.loads(bucket.get(job["output"] + "manifest.json") or b"")
    assert (manifest["rows"], manifest["errors"], manifest["version"]) == (3, 1, 1)
    assert [part["rows"] for part in manifest["parts"]] == [3]
    assert bucket.get(job["output"] + "_SUCCESS") == b""
    assert job["progress"] | {"rows": 3, "errors": 1, "shards_done": 1, "shards_failed": 0} == job["progress"]


def test_drop_for_unknown_alias_fails(http: httpx.Client, bucket: Bucket) -> None:
    key = "batch/input/rows/nobody/drop.jsonl"
    bucket.put(key, jsonl([{"x": [1, 2, 3]}]))
    job = job_of_drop(http, key)
    assert job["status"] == "FAILED"
    assert "no version or alias 'nobody'" in job["reason"]


def test_job_keeps_version_of_alias(http: httpx.Client, bucket: Bucket, maas: MaasClient) -> None:
    bucket.put("batch/data/pinned.jsonl", jsonl([{"x": [1, 1, 1]}]))
    job = create(http, version="prod", input=f"s3://{bucket.name}/batch/data/pinned.jsonl")
    maas.aliases.set("rows", "prod", 2)
    try:
        assert records(bucket, wait_for_job(http, job["id"])) == [{"y": [3.0, 3.0]}]
    finally:
        maas.aliases.set("rows", "prod", 1)


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_npy(http: httpx.Client, bucket: Bucket, rows: int) -> None:
    x = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    content = io.BytesIO()
    np.save(content, x)
    bucket.put("batch/data/x.npy", content.getvalue())
    job = wait_for_job(http, create(http, version="1", input="batch/data/x.npy")["id"])
    assert job["status"] == "SUCCEEDED", job["reason"]
    parts = [np.load(io.BytesIO(bucket.get(key) or b"")) for key in bucket.keys(job["output"]) if key.endswith(".npy")]
    assert np.array_equal(np.concatenate([np.empty((0, 2), np.float32), *parts]), x @ np.ones((3, 2), np.float32))


def test_csv_joined_with_input(http: httpx.Client, bucket: Bucket) -> None:
    bucket.put("batch/data/x.csv", b'id,a,b,c\nfirst,1,2,3\n"se\ncond",4,5,6\nthird,4,five,6\n')
    options = {"exclude": ["id"], "join": "input"}
    job = wait_for_job(http, create(http, version="1", input="batch/data/x.csv", options=options)["id"])
    assert job["status"] == "SUCCEEDED", job["reason"]
    (key,) = (key for key in bucket.keys(job["output"]) if key.endswith(".csv"))
    text = (bucket.get(key) or b"").decode()
    assert text.startswith("id,a,b,c,y_0,y_1,error\n")
    assert 'first,1,2,3,6.0,6.0,\n"se\ncond",4,5,6,15.0,15.0,\nthird,4,five,6,,,' in text


@pytest.mark.full
def test_parquet_joined_with_input(http: httpx.Client, bucket: Bucket) -> None:
    x = np.arange(300, dtype=np.float32).reshape(100, 3)
    columns = {name: Array.from_numpy(np.ascontiguousarray(x[:, place])) for place, name in enumerate("abc")}
    content = io.BytesIO()
    write_parquet(Table.from_pydict(columns), content, max_row_group_size=30)
    bucket.put("batch/input/rows/1/x.parquet", content.getvalue())
    bucket.put("batch/data/x.parquet", content.getvalue())
    job = wait_for_job(http, create(http, version="1", input="batch/data/x.parquet", options={"join": "input"})["id"])
    dropped = job_of_drop(http, "batch/input/rows/1/x.parquet")
    for one, carried in ((job, ["a", "b", "c"]), (dropped, [])):
        assert one["status"] == "SUCCEEDED", one["reason"]
        (key,) = (key for key in bucket.keys(one["output"]) if key.endswith(".parquet"))
        found = read_parquet(bucket.get(key) or b"").read_all()
        assert found.column_names == [*carried, "y"]
        predicted = [value.as_py() for chunk in found["y"].chunks for value in chunk]
        assert predicted == [[row.sum(), row.sum()] for row in x]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"a,b\n1,2\n", "wrong.csv", "expected"),
        (b"\x93NUMPY\x01\x00", "short.npy", "NPY|npy|header"),
        (b"", "x.txt", "jsonl"),
        (b"PAR1", "short.parquet", "[Pp]arquet"),
    ],
)
def test_unreadable_input_fails_with_reason(
    http: httpx.Client, bucket: Bucket, content: bytes, name: str, reason: str
) -> None:
    import re

    bucket.put(f"batch/data/{name}", content)
    job = wait_for_job(http, create(http, input=f"batch/data/{name}")["id"])
    assert job["status"] == "FAILED"
    assert re.search(reason, job["reason"])
    assert bucket.get(job["output"] + "_SUCCESS") is None


@pytest.mark.full
def test_large_file_is_sharded_in_order(http: httpx.Client, bucket: Bucket) -> None:
    rows = 6_000_000
    x = np.zeros((rows, 3), np.float32)
    x[:, 0] = np.arange(rows)
    content = io.BytesIO()
    np.save(content, x)
    bucket.put("batch/data/large.npy", content.getvalue())
    job = wait_for_job(http, create(http, version="1", input="batch/data/large.npy")["id"])
    assert job["status"] == "SUCCEEDED", job["reason"]
    assert job["progress"]["shards_total"] == 2
    path = f"/api/v1/jobs/{job['id']}/results?limit=2"
    page = http.get(path).json()
    answer = page["results"]
    while token := page["next_page_token"]:
        page = http.get(f"{path}&page_token={token}").json()
        answer += page["results"]
    parts = [np.load(io.BytesIO(httpx.get(one["url"], timeout=60).content)) for one in answer]
    assert [len(part) for part in parts] == [one["rows"] for one in answer]
    assert np.array_equal(np.concatenate(parts)[:, 0], x[:, 0])


def test_max_errors_fails_job(http: httpx.Client, bucket: Bucket) -> None:
    bucket.put("batch/data/bad.jsonl", jsonl([{"x": [1, 2, 3]}, {}, {}, {}]))
    job = wait_for_job(http, create(http, input="batch/data/bad.jsonl", options={"max_errors": 2})["id"])
    assert (job["status"], job["reason"]) == ("FAILED", "3 records failed, allowed are 2 (max_errors)")


def test_upload_with_events_and_topic(http: httpx.Client, system: LocalStack, bucket: Bucket) -> None:
    sqs, sns = system.cloud.client("sqs"), system.cloud.client("sns")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="maas-done")["TopicArn"]
    allows = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allows]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events = system.cloud.client("events")
    events.put_rule(Name="states", EventPattern=json.dumps({"source": ["maas"]}))
    events.put_targets(Rule="states", Targets=[{"Id": "listener", "Arn": arn}])

    content = jsonl([[1, 2, 3], [4, 5, 6]])
    import hashlib

    declared = {"name": "x.jsonl", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    job = create(http, version="1", upload=declared, notify=topic)
    assert (job["status"], len(job["upload"])) == ("UPLOADING", 1)
    (part,) = job["upload"]
    assert httpx.put(part["url"], content=content, headers=part["headers"], timeout=60).status_code == 200
    assert http.post(f"/api/v1/jobs/{job['id']}/complete").status_code == 202
    ended = wait_for_job(http, job["id"])
    assert ended["status"] == "SUCCEEDED", ended["reason"]
    assert records(bucket, ended) == [{"y": [6.0, 6.0]}, {"y": [15.0, 15.0]}]

    told, notified = [], []
    deadline = time.monotonic() + 60
    while "SUCCEEDED" not in told or not notified:
        assert time.monotonic() < deadline, (told, notified)
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            body = json.loads(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if "detail" in body and body["detail"]["id"] == job["id"]:
                told.append(body["detail"]["status"])
            elif "Message" in body:
                notified.append(json.loads(body["Message"])["status"])
    assert {"RUNNING", "SUCCEEDED"} <= set(told)
    assert set(notified) == {"SUCCEEDED"}


def test_idempotency_key(http: httpx.Client, bucket: Bucket) -> None:
    bucket.put("batch/data/once.jsonl", jsonl([[1, 2, 3]]))
    body, headers = {"model": "rows", "input": "batch/data/once.jsonl"}, {"idempotency-key": "once"}
    first = http.post("/api/v1/jobs", json=body, headers=headers).json()
    assert http.post("/api/v1/jobs", json=body, headers=headers).json()["id"] == first["id"]
    other = http.post("/api/v1/jobs", json=body | {"version": "1"}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (409, "Idempotency-Key")


@pytest.mark.full
def test_output_folder_of_another_job_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    bucket.put("batch/data/out.jsonl", jsonl([[1, 2, 3]]))
    job = create(http, input="batch/data/out.jsonl", output=f"s3://{bucket.name}/batch/output/mine/today")
    assert wait_for_job(http, job["id"])["output"] == "batch/output/mine/today/"
    assert bucket.get("batch/output/mine/today/_SUCCESS") == b""
    again = http.post("/api/v1/jobs", json={"model": "rows", "input": "batch/data/out.jsonl", "output": job["output"]})
    assert (again.status_code, again.json()["field"]) == (409, "output")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"model": "nobody", "input": "batch/data/x.npy"}, 404, None),
        ({"model": "rows"}, 400, "body"),
        ({"model": "rows", "input": "s3://other/batch/data/x.npy"}, 400, "input"),
        ({"model": "rows", "input": "models/rows/1/source/model.onnx"}, 400, "input"),
        ({"model": "rows", "input": "batch/data/nothing.npy"}, 404, None),
        ({"model": "rows", "input": "batch/data/x.npy", "output": "batch/input/rows/1/"}, 400, "output"),
        ({"model": "rows", "input": "batch/data/x.npy", "output": "batch/output/../data/"}, 400, "output"),
        ({"model": "rows", "input": "batch/data/x.npy", "notify": "https://169.254.169.254/"}, 400, "notify"),
        ({"model": "rows", "input": "batch/data/x.npy", "options": {"batch_size": 0}}, 400, "options.batch_size"),
    ],
)
def test_bad_job_is_refused(
    http: httpx.Client, bucket: Bucket, body: dict[str, Any], status: int, field: str | None
) -> None:
    if status == 400:
        bucket.put("batch/data/x.npy", b"x")
    answer = http.post("/api/v1/jobs", json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text


def test_cancel_and_retry(http: httpx.Client, bucket: Bucket) -> None:
    declared = {"name": "never.jsonl", "size_bytes": 3, "sha256": "0" * 64}
    job = create(http, upload=declared)
    assert http.delete(f"/api/v1/jobs/{job['id']}").json()["status"] == "CANCELLED"
    assert http.delete(f"/api/v1/jobs/{job['id']}").status_code == 200
    assert http.post(f"/api/v1/jobs/{job['id']}/retry").status_code == 409
    bucket.put("batch/data/again.csv", b"a\n1\n")
    failed = wait_for_job(http, create(http, input="batch/data/again.csv")["id"])
    assert failed["status"] == "FAILED"
    assert http.delete(f"/api/v1/jobs/{failed['id']}").status_code == 409
    assert http.post(f"/api/v1/jobs/{failed['id']}/retry").status_code == 202
    again = wait_for_job(http, failed["id"])
    assert (again["status"], again["reason"]) == ("FAILED", failed["reason"])
