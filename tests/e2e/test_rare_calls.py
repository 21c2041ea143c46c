"""Events so rare that no other end-to-end test causes their calls; test_policies.py needs every grant used."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from maas_client import MaasClient
from maas_local.resources import NAME
from maas_local.stack import LocalStack
from support import networks, onnx_models
from support.aws.engine import ROOT
from support.system import Bucket, wait_for_job

pytestmark = [
    pytest.mark.full,
    pytest.mark.not_on("sam", "cloud", reason="it calls handlers in processes, as their roles"),
]
MB = 1 << 20


def test_scheduled_purge_of_unfinished_upload(maas: MaasClient, http: httpx.Client, call: Callable[..., Any]) -> None:
    maas.models.create("purged-by-schedule")
    _begin_upload(http, "purged-by-schedule")
    maas.models.delete("purged-by-schedule")
    event = json.loads((ROOT / "events" / "maintenance_purge.json").read_text())
    purged = call("maintenance", "app", event, MAAS_RETENTION_DAYS="0")["purged"]
    assert "purged-by-schedule" in purged


def test_schedule_revives_and_cleans_up(
    system: LocalStack, maas: MaasClient, http: httpx.Client, call: Callable[..., Any]
) -> None:
    """A version left VALIDATING, a job whose upload never came, and a version that was never uploaded."""
    content = onnx_models.linear(1.0)
    maas.models.create("stuck")
    file = {"name": "model.onnx", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    made = http.post("/api/v1/models/stuck/versions", json={"files": [file]}).json()
    (part,) = made["uploads"][0]["parts"]
    assert httpx.put(part["url"], content=content, headers=part["headers"], timeout=60).is_success
    system.cloud.client("dynamodb").update_item(
        TableName=NAME,
        Key={"pk": {"S": "M#stuck"}, "sk": {"S": "V#00000001"}},
        UpdateExpression="SET #status = :validating",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":validating": {"S": "VALIDATING"}},
    )
    upload = {"name": "x.npy", "size_bytes": 100, "sha256": hashlib.sha256(bytes(100)).hexdigest()}
    event = json.loads((ROOT / "events" / "maintenance_revive.json").read_text())
    retention = {"MAAS_IDLE_DAYS": "0", "MAAS_UPLOAD_RETENTION_DAYS": "0"}
    assert "stuck@1" in call("maintenance", "app", event, **retention)["revived"]
    version = maas.versions.wait("stuck", 1)
    assert version.status == "READY"
    job = http.post("/api/v1/jobs", json={"model": "stuck", "upload": upload}).json()
    assert f"job {job['id']}" in call("maintenance", "app", event, **retention)["revived"]
    ended = wait_for_job(http, job["id"])
    assert (ended["status"], "is not complete" in ended["reason"]) == ("FAILED", True)
    refused = http.post(f"/api/v1/jobs/{job['id']}/retry")
    assert (refused.status_code, "is not complete" in refused.json()["error"]) == (409, True)
    (part,) = job["upload"]
    assert httpx.put(part["url"], content=bytes(100), headers=part["headers"], timeout=60).is_success
    time.sleep(1)  # retention counts in seconds: the retry prolongs it
    assert http.post(f"/api/v1/jobs/{job['id']}/retry").status_code == 202
    assert "no readable header" in wait_for_job(http, job["id"])["reason"]
    assert http.post("/api/v1/models/stuck/versions", json={"files": [file]}).status_code == 201
    event = json.loads((ROOT / "events" / "maintenance_purge.json").read_text())
    assert "stuck@2" in call("maintenance", "app", event, MAAS_UPLOAD_RETENTION_DAYS="0")["purged"]


@pytest.mark.parametrize("model", ["half-uploaded", "half-uploaded-too"])  # the schedule may finish one of the purges
def test_unfinished_multipart_upload_is_not_completed(maas: MaasClient, http: httpx.Client, model: str) -> None:
    maas.models.create(model)
    _begin_upload(http, model)
    refused = http.post(f"/api/v1/models/{model}/versions/1/complete")
    assert refused.status_code == 409 and "is not there" in refused.json()["error"]
    maas.versions.delete(model, 1)
    assert maas.versions.purge(model, 1)


def test_job_waits_for_multipart_upload(maas: MaasClient, http: httpx.Client, write: Any) -> None:
    maas.push(write(onnx_models.linear(1.0)), "for-jobs")
    upload = {"name": "x.npy", "size_bytes": 70 * MB, "sha256": "0" * 64}
    job = http.post("/api/v1/jobs", json={"model": "for-jobs", "upload": upload}).json()
    refused = http.post(f"/api/v1/jobs/{job['id']}/complete")
    assert refused.status_code == 409, refused.text


def test_topic_is_notified_of_cancelled_and_failed_jobs(
    system: LocalStack, maas: MaasClient, http: httpx.Client, write: Any
) -> None:
    maas.push(write(onnx_models.linear(1.0)), "for-topics")
    topic = system.cloud.client("sns").create_topic(Name="maas-ended")["TopicArn"]
    content = b"no array at all"
    upload = {"name": "x.npy", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    made = [
        http.post("/api/v1/jobs", json={"model": "for-topics", "upload": upload, "notify": topic}).json()
        for _ in range(2)
    ]
    assert http.delete(f"/api/v1/jobs/{made[0]['id']}").is_success
    assert wait_for_job(http, made[0]["id"])["status"] == "CANCELLED"
    (part,) = made[1]["upload"]
    assert httpx.put(part["url"], content=content, headers=part["headers"], timeout=60).status_code == 200
    assert wait_for_job(http, made[1]["id"])["status"] == "FAILED"


def test_large_model_pushed_and_dropped(maas: MaasClient, bucket: Bucket, write: Any) -> None:
    content = onnx_models.linear(features=1500, classes=3000)
    assert len(content) > 16 * MB
    maas.push(write(content), "large-pushed")
    bucket.put("inbox/large-dropped/model.onnx", content)
    bucket.wait_for("inbox/large-dropped/model.onnx.result.json", lambda body: b"READY" in body)


def test_inference_stores_missing_prepared_form(
    system: LocalStack, maas: MaasClient, http: httpx.Client, bucket: Bucket, write: Any
) -> None:
    """As after an update of onnxruntime: no prepared form fits it."""
    maas.push(write(networks.convolutions(blocks=2, channels=128)), "prepared-elsewhere")
    forms = [key for key in bucket.keys("models/prepared-elsewhere/") if "/prepared/" in key]
    assert forms
    s3, table = system.cloud.client("s3"), system.cloud.client("dynamodb")
    for key in forms:
        s3.delete_object(Bucket=NAME, Key=key)
    row = {"pk": {"S": "M#prepared-elsewhere"}, "sk": {"S": "V#00000001"}}
    table.update_item(TableName=NAME, Key=row, UpdateExpression="REMOVE variants")
    tensor = {"name": "x", "shape": [1, 3, 64, 64], "datatype": "FP32", "data": [1.0] * (3 * 64 * 64)}
    assert http.post("/v2/models/prepared-elsewhere/infer", json={"inputs": [tensor]}).is_success
    bucket.wait_for(f"{forms[0].rpartition('/')[0]}/manifest.json", lambda body: b"source" in body)
    assert set(forms) < set(bucket.keys("models/prepared-elsewhere/"))


def test_failed_shard_changes_message_visibility(system: LocalStack, call: Callable[..., Any]) -> None:
    queue = system.cloud.client("sqs").get_queue_url(QueueName="BatchShards")["QueueUrl"]
    record = {
        "messageId": "one",
        "receiptHandle": "gone",
        "body": json.dumps({"job": "nobody's", "shard": "00000"}),
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:BatchShards",
    }
    answer = call("worker", "worker", {"Records": [record]}, MAAS_QUEUE_URL=queue)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "one"}]}


def _begin_upload(http: httpx.Client, model: str) -> None:
    """Starts a multipart upload of a version and sends no part."""
    file = {"name": "model.onnx", "size_bytes": 70 * MB, "sha256": "0" * 64}
    made = http.post(f"/api/v1/models/{model}/versions", json={"files": [file]})
    assert made.status_code == 201, made.text
