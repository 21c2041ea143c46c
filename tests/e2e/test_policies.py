"""Least privilege: the calls of the whole end-to-end suite against the policies of template.yaml.

The stack runs as the roles (support/aws/iam_gate.py), so a missing grant fails the test that needs it, and one here.
A grant that nothing uses shows when the whole suite has run: these tests come last.
"""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from conftest import skip_or_fail
from maas_client import MaasClient
from maas_local.stack import LocalStack
from support import onnx_models
from support.aws import iam_policies, iam_stack
from support.aws.iam_policies import Call, Grant
from support.system import RAN

pytestmark = pytest.mark.not_on("sam", "cloud", reason="only the local stack records the roles' calls")
# Grants that no recorded call uses, with the reason. `*` stands for every function.
SERVICE_OF_LAMBDA = "Lambda itself calls it with the role"
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("*", "logs:CreateLogStream"): SERVICE_OF_LAMBDA,
    ("*", "logs:PutLogEvents"): SERVICE_OF_LAMBDA,
    ("PlannerFunction", "sqs:ReceiveMessage"): SERVICE_OF_LAMBDA,
    ("PlannerFunction", "sqs:DeleteMessage"): SERVICE_OF_LAMBDA,
    ("PlannerFunction", "sqs:GetQueueAttributes"): SERVICE_OF_LAMBDA,
    ("WorkerFunction", "sqs:ReceiveMessage"): SERVICE_OF_LAMBDA,
    ("WorkerFunction", "sqs:DeleteMessage"): SERVICE_OF_LAMBDA,
    ("WorkerFunction", "sqs:GetQueueAttributes"): SERVICE_OF_LAMBDA,
    ("ShadowFunction", "sqs:ReceiveMessage"): SERVICE_OF_LAMBDA,
    ("ShadowFunction", "sqs:DeleteMessage"): SERVICE_OF_LAMBDA,
    ("ShadowFunction", "sqs:GetQueueAttributes"): SERVICE_OF_LAMBDA,
    ("ShadowFunction", "s3:GetObject"): "the form of a model that was prepared on another kind of CPU",
    ("ShadowFunction", "s3:ListBucket"): "S3 answers 404, not 403, for a sample that is gone",
    ("DeploymentFunction", "sqs:SendMessage"): SERVICE_OF_LAMBDA + ": events that failed for good",
    (
        "WorkerFunction",
        "sqs:SendMessage",
    ): "the rest of a shard that ran out of time (tests/functions/batch/test_faults.py)",
    ("WorkerFunction", "s3:GetObject"): "a part that another delivery wrote first (the same)",
    ("PlannerFunction", "s3:ListBucket"): "S3 answers 404, not 403, for an absent input",
    (
        "PlannerFunction",
        "s3:PutObject",
    ): "the summary of a job whose last delivery was lost (tests/functions/batch/test_letters.py)",
    ("WorkerFunction", "s3:ListBucket"): "the same",
    ("MaintenanceFunction", "s3:ListBucket"): "the same",
}
SENT_BY_LAMBDA = (
    "PlannerFunction",
    "sqs:SendMessage",
    "PlannerDeadLetters",
)  # Lambda sends to it; the other queue gets messages from the function


def recorded(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / iam_stack.RECORD).read_text().splitlines()]


@pytest.fixture
def calls(request: pytest.FixtureRequest, system: LocalStack, roles_folder: Path) -> list[dict[str, Any]]:
    """The calls of the functions in the whole suite. Skips if part of it did not run in this process."""
    files = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    missing = files - {item.path.name for item in request.session.items}
    others = {
        item.nodeid
        for item in request.session.items
        if "system" in item.fixturenames and item.path.parent == request.path.parent and item.path != request.path  # type: ignore[attr-defined]
    }
    if missing := missing | (others - request.config.stash[RAN]):
        skip_or_fail(f"only the whole suite in one process can tell: {min(missing)}")
    return recorded(roles_folder)


def test_no_call_was_refused(maas: MaasClient, write: Any, roles_folder: Path) -> None:
    maas.push(write(onnx_models.linear()), "within-policies")
    calls = recorded(roles_folder)
    assert {call["function"] for call in calls} >= {"ManagementFunction", "DeploymentFunction"}
    assert not [call for call in calls if not call["by"]]


@pytest.mark.full
def test_every_grant_is_used(calls: list[dict[str, Any]]) -> None:
    used = {(call["function"], *grant) for call in calls for grant in call["by"]}
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


@pytest.mark.full
def test_every_granted_partition_is_used(calls: list[dict[str, Any]]) -> None:
    """The table holds every secret of the installation, so only management may reach all of its rows."""
    used = {(call["function"], key) for call in calls for key in call["keys"]}
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
