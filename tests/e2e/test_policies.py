"""Least privilege, proven: the calls of this whole suite against the policies of template.yaml.

The stack runs as the roles (see iam_gate), so a policy that grants too little fails here, and the test that needed it.
A policy that grants what nothing used is found when the whole suite has run: these tests come last.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_client import MaasClient
from maas_local.stack import LocalStack
from maas_local.template import NAME
from support import networks, onnx_models
from support.aws import iam_policies, iam_stack
from support.aws.engine import ROOT
from support.aws.iam_policies import Call, Grant
from support.system import Bucket, wait_for_job

# What is granted and cannot be seen here, with the reason. `*` in front of an action stands for every function.
SERVICE_OF_LAMBDA = "Lambda itself does it in the role's name"
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("*", "logs:CreateLogStream"): SERVICE_OF_LAMBDA,
    ("*", "logs:PutLogEvents"): SERVICE_OF_LAMBDA,
    ("PlannerFunction", "sqs:ReceiveMessage"): SERVICE_OF_LAMBDA,
    ("PlannerFunction", "sqs:DeleteMessage"): SERVICE_OF_LAMBDA,
    ("PlannerFunction", "sqs:GetQueueAttributes"): SERVICE_OF_LAMBDA,
    ("WorkerFunction", "sqs:ReceiveMessage"): SERVICE_OF_LAMBDA,
    ("WorkerFunction", "sqs:DeleteMessage"): SERVICE_OF_LAMBDA,
    ("WorkerFunction", "sqs:GetQueueAttributes"): SERVICE_OF_LAMBDA,
    ("DeploymentFunction", "sqs:SendMessage"): SERVICE_OF_LAMBDA + ": events that it gave up",
    (
        "WorkerFunction",
        "sqs:SendMessage",
    ): "the rest of a shard that ran out of time (tests/functions/batch/test_faults.py)",
    ("WorkerFunction", "s3:GetObject"): "a part that another delivery wrote first (the same)",
    ("PlannerFunction", "s3:ListBucket"): "an input that is gone is answered 404, not 403 (aws_calls.missing)",
    ("WorkerFunction", "s3:ListBucket"): "the same",
}
SENT_BY_LAMBDA = ("PlannerFunction", "sqs:SendMessage", "PlannerDeadLetters")  # it sends to the other queue itself
MB = 1 << 20


def recorded(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / iam_stack.RECORD).read_text().splitlines()]


@pytest.fixture(autouse=True)
def _only_with_roles(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--stack") != "local":
        pytest.skip("only the local stack runs as the roles")


@pytest.fixture
def call(system: LocalStack, roles_folder: Path) -> Callable[..., Any]:
    """A handler in a process of its own, as its role: what the local stack's own sources would not bring about."""

    def call_handler(function: str, module: str, event: object, **variables: str) -> Any:
        script = (
            f"import json, {module} as app\nfrom types import SimpleNamespace\n"
            "context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000, aws_request_id='one')\n"
            f"print(json.dumps(app.lambda_handler({event!r}, context)))\n"
        )
        environment = system.environment | iam_stack.environment(roles_folder, f"{function.title()}Function")
        environment |= {"MAAS_AWS_ENDPOINT_URL": system.cloud.url} | variables
        folder = ROOT / "functions" / ("batch" if module != "app" else function)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call_handler


def test_scheduled_purge_of_unfinished_upload(maas: MaasClient, http: httpx.Client, call: Callable[..., Any]) -> None:
    maas.models.create("purged-by-schedule")
    _begin_upload(http, "purged-by-schedule")
    maas.models.delete("purged-by-schedule")
    purged = call("maintenance", "app", {}, MAAS_RETENTION_DAYS="0")["purged"]
    assert "purged-by-schedule" in purged


def test_unfinished_multipart_upload_is_not_completed(maas: MaasClient, http: httpx.Client) -> None:
    maas.models.create("half-uploaded")
    _begin_upload(http, "half-uploaded")
    refused = http.post("/api/v1/models/half-uploaded/versions/1/complete")
    assert refused.status_code == 409 and "is not there" in refused.json()["error"]
    maas.versions.delete("half-uploaded", 1)
    assert maas.versions.purge("half-uploaded", 1)


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
    assert httpx.put(part["url"], content=content, headers=part["headers"]).status_code == 200
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
    """As after an update of onnxruntime: nothing is there that was prepared for it."""
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
    }
    answer = call("worker", "worker", {"Records": [record]}, MAAS_QUEUE_URL=queue)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "one"}]}


def _begin_upload(http: httpx.Client, model: str) -> None:
    """Of a version with more bytes than one PUT carries; none of them is sent."""
    file = {"name": "model.onnx", "size_bytes": 70 * MB, "sha256": "0" * 64}
    made = http.post(f"/api/v1/models/{model}/versions", json={"files": [file]})
    assert made.status_code == 201, made.text


def test_no_call_was_refused(system: LocalStack, roles_folder: Path) -> None:
    calls = recorded(roles_folder)
    assert {call["function"] for call in calls} >= {"ManagementFunction", "DeploymentFunction"}
    assert not [call for call in calls if not call["by"]]


def _only_after_all(request: pytest.FixtureRequest) -> None:
    here = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    if missing := here - {item.path.name for item in request.session.items}:
        pytest.skip(f"only the whole suite can tell: {sorted(missing)} did not run")


def test_every_grant_is_used(request: pytest.FixtureRequest, system: LocalStack, roles_folder: Path) -> None:
    _only_after_all(request)
    used = {(call["function"], *grant) for call in recorded(roles_folder) for grant in call["by"]}
    unused = [
        (function, grant.action, grant.resource)
        for function, statements in iam_policies.roles().items()
        for statement in statements
        for grant in iam_policies.grants(statement)
        if (function, grant.action, grant.resource) not in used
        and not {("*", grant.action), (function, grant.action)} & EXCEPTIONS.keys()
        and (function, grant.action, grant.resource.rpartition(":")[2]) != SENT_BY_LAMBDA
    ]
    assert not unused


def test_every_granted_partition_is_used(
    request: pytest.FixtureRequest, system: LocalStack, roles_folder: Path
) -> None:
    """The table has every secret of the installation, so only management may reach all of its rows."""
    _only_after_all(request)
    used = {(call["function"], key) for call in recorded(roles_folder) for key in call["keys"]}
    for function, statements in iam_policies.roles().items():
        for statement in statements:
            if "dynamodb:" not in str(statement["Action"]):
                continue
            patterns = iam_policies.partitions(statement)
            assert patterns or function == "ManagementFunction"
            for pattern in patterns:
                assert any(name == function and fnmatchcase(key, pattern) for name, key in used), (function, pattern)


def test_exceptions_are_granted() -> None:
    granted = {
        (name, grant.action)
        for function, statements in iam_policies.roles().items()
        for statement in statements
        for grant in iam_policies.grants(statement)
        for name in ("*", function)
    }
    assert EXCEPTIONS.keys() <= granted


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Call("s3:PutObject", "arn:aws:s3:::b/models/m/1"), {Grant("s3:PutObject", "arn:aws:s3:::b/models/*")}),
        (Call("s3:PutObject", "arn:aws:s3:::b/inbox/m"), set()),
        (Call("s3:GetObject", "arn:aws:s3:::b/models/m/1"), set()),
        (
            Call("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ["models/m"]}),
            {Grant("s3:ListBucket", "arn:aws:s3:::b")},
        ),
        (Call("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ["other"]}), set()),
        (Call("s3:ListBucket", "arn:aws:s3:::b"), set()),
    ],
)
def test_policy_evaluation(call: Call, expected: set[Grant]) -> None:
    statements: list[iam_policies.Statement] = [
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::b/models/*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::b",
            "Condition": {"StringLike": {"s3:prefix": "models/*"}},
        },
    ]
    assert iam_policies.granting(statements, call) == expected
