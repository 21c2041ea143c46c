"""The log line of an HTTP request, with its metrics."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import LoadFunction
from maas.telemetry.request_log import UNITS, Handler, observed
from support.aws.engine import ROOT, Cloud
from support.events import CASES, seed

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000, aws_request_id="one")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SECRET = "open-sesame"


def event_of(name: str) -> dict[str, Any]:
    return next(case for case in CASES if case.name == name).event


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def inference(cloud: Cloud, load_function: LoadFunction, capsys: pytest.CaptureFixture[str]) -> Handler:
    """The handler, with a READY model; the output of its import is discarded."""
    seed(cloud)
    handler: Handler = load_function("InferenceFunction").lambda_handler
    capsys.readouterr()
    return handler


def test_inference_line(inference: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    event = event_of("inference_infer")
    answer = inference(event, CONTEXT)
    (line,) = printed(capsys)
    assert line["message"] == "request" and line["status"] == answer["statusCode"] == 200
    assert line["request_id"] == event["requestContext"]["requestId"] and line["function_request_id"] == "one"
    assert (line["Model"], line["Version"]) == ("example", "1")
    assert line["cold_start"] is line["cold"] is True
    assert line["bytes_in"] == len(event["body"]) and line["bytes_out"] == len(answer["body"])
    stages = ("queue_ms", "load_ms", "compute_input_ms", "compute_infer_ms", "compute_output_ms")
    assert 0 < sum(line[stage] for stage in stages) <= line["duration_ms"]
    inference(event, CONTEXT)
    (again,) = printed(capsys)
    assert again["cold_start"] is again["cold"] is False
    assert again["ColdLoads"] == 0 and "LoadTime" not in again


def test_embedded_metric_format(inference: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    """Each metric of the directive is a number of the line, each dimension a text: otherwise CloudWatch drops it."""
    inference(event_of("inference_infer"), CONTEXT)
    (line,) = printed(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "MaaS" and isinstance(line["_aws"]["Timestamp"], int)
    assert directive["Dimensions"] == [["service", "Model", "Version"]]
    assert all(isinstance(line[name], str) for name in directive["Dimensions"][0])
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == dict(UNITS)
    assert all(isinstance(line[name], int | float) for name in UNITS)
    assert (line["ColdLoads"], line["Refused"], line["Errors"]) == (1, 0, 0)


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "refused", "model"),
    [("inference_infer_wrong_shape", 1, "example"), ("inference_v1_predict", 0, "example")],
)
def test_metrics_of_refusals_and_other_protocols(
    name: str,
    refused: int,
    model: str,
    inference: Handler,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inference(event_of(name), CONTEXT)
    (line,) = printed(capsys)
    assert (line["Refused"], line["Errors"], line["Model"]) == (refused, 0, model)


@pytest.mark.full
def test_unknown_model_has_no_metrics(inference: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    """Callers must not create metrics, which cost money."""
    event = event_of("inference_infer")
    assert inference(event | {"rawPath": "/v2/models/nowhere/infer"}, CONTEXT)["statusCode"] == 404
    (line,) = printed(capsys)
    assert line["status"] == 404 and "_aws" not in line and "Model" not in line


@pytest.mark.full
def test_asynchronous_request_names_its_version(inference: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    assert inference(event_of("inference_respond_async"), CONTEXT)["statusCode"] == 202
    (line,) = printed(capsys)
    assert (line["Model"], line["Version"]) == ("example", "1") and "_aws" not in line


def test_traceback_has_the_request_ids() -> None:
    script = (
        "from types import SimpleNamespace\n"
        "from maas.web import events\n"
        "from maas.telemetry.request_log import observed\n"
        "handler = observed(lambda event, context: events.error_answer(ZeroDivisionError('of ours')))\n"
        "handler({'requestContext': {'requestId': 'r-1'}}, SimpleNamespace(aws_request_id='f-1'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    fault, line = map(json.loads, done.stdout.splitlines())
    assert "of ours" in fault["exception"] and line["message"] == "request"
    assert {one["request_id"] for one in (fault, line)} == {"r-1"}
    assert {one["function_request_id"] for one in (fault, line)} == {"f-1"}


def test_management_line(cloud: Cloud, load_function: LoadFunction, capsys: pytest.CaptureFixture[str]) -> None:
    handler = load_function("ManagementFunction").lambda_handler
    capsys.readouterr()
    handler(event_of("management_create_model"), CONTEXT)
    (line,) = printed(capsys)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/v1/models", 201)
    assert line["caller"].startswith("sha256:") and "_aws" not in line


def test_exception_is_logged_as_500(capsys: pytest.CaptureFixture[str]) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handler({}, CONTEXT)
    (line,) = printed(capsys)
    assert line["status"] == 500


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        ({"lambda": {"actor": "key:abc123", "scopes": SECRET}}, "key:abc123"),
        ({"lambda": {"refusal": "quota", "allowed": 1, "key": "abc123"}}, "key:abc123"),
        ({"jwt": {"claims": {"sub": f"{SECRET}@example.com"}}}, "sha256:"),
        ({"iam": {"userArn": f"arn:aws:sts::1:assumed-role/ops/{SECRET}@example.com"}}, "sha256:"),
        ({}, "anonymous"),
    ],
)
def test_lines_have_no_secrets_or_names(
    authorizer: dict[str, Any], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = observed(lambda event, context: {"statusCode": 200, "body": SECRET, "headers": {"etag": SECRET}})
    handler(
        {
            "rawPath": "/v2",
            "rawQueryString": f"key={SECRET}",
            "headers": {"authorization": f"Bearer {SECRET}", "user-agent": SECRET},
            "body": SECRET,
            "requestContext": {
                "requestId": "r",
                "http": {"method": "GET", "sourceIp": SECRET, "userAgent": SECRET},
                "authorizer": authorizer,
            },
        },
        CONTEXT,
    )
    said = capsys.readouterr().out
    assert SECRET not in said
    assert json.loads(said)["caller"].startswith(expected)


@pytest.mark.parametrize("name", UNITS)
def test_metrics_are_documented(name: str) -> None:
    row = next(line for line in OPERATIONS.splitlines() if line.startswith(f"| `{name}` |"))
    assert UNITS[name] in row


@pytest.mark.full
def test_deployment_metrics(cloud: Cloud, load_function: LoadFunction, capsys: pytest.CaptureFixture[str]) -> None:
    seed(cloud)
    handler = load_function("DeploymentFunction").lambda_handler
    capsys.readouterr()
    handler(event_of("deployment_commit_mark"), CONTEXT)
    metrics = [line for line in printed(capsys) if "_aws" in line]
    named = {one["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]: one for one in metrics}
    assert named.keys() == {"DeploymentsReady", "DeploymentTime"}
    assert named["DeploymentsReady"]["DeploymentsReady"] == [1.0]
    for name, one in named.items():
        (directive,) = one["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "MaaS" and directive["Dimensions"] == [["service"]]
        row = next(line for line in OPERATIONS.splitlines() if line.startswith("| ") and f"`{name}`" in line)
        assert directive["Metrics"][0]["Unit"] in row
