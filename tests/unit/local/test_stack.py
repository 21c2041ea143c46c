"""The local stack with handlers made for the test: processes, HTTP and events are real."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from maas_client.errors import MaasError
from maas_local import intrinsics
from maas_local.stack import LocalStack, find_template
from maas_local.template import Template

TEMPLATE = """
Parameters:
  AwsEndpointUrl: {Type: String, Default: ""}
  Size: {Type: Number, Default: 7}
Globals:
  Function:
    Handler: app.lambda_handler
    Timeout: 3
    MemorySize: 128
    Environment:
      Variables:
        TABLE: !Ref Table
        ENDPOINT: !Ref AwsEndpointUrl
Resources:
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      Environment: {Variables: {SIZE: !Ref Size, BUCKET_ARN: !Sub "${Bucket.Arn}/*"}}
      EventInvokeConfig: {MaximumRetryAttempts: 1}
      Events:
        All: {Type: HttpApi, Properties: {Path: "/echo/{proxy+}", Method: ANY}}
        One: {Type: HttpApi, Properties: {Path: "/echo/{name}/exact", Method: get}}
        Mark:
          Type: EventBridgeRule
          Properties:
            Pattern:
              source: [aws.s3]
              detail: {bucket: {name: [!Ref Bucket]}, object: {key: [{wildcard: marks/*/done}]}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      SSESpecification: {SSEEnabled: true}
"""

HANDLER = """
import json, os, pathlib, time

def lambda_handler(event, context):
    if "detail" in event:
        calls = pathlib.Path(os.environ["LAMBDA_TASK_ROOT"], "calls")
        with calls.open("a") as file:
            file.write(event["detail"]["object"]["key"] + "\\n")
        if calls.read_text().count("again") == 1:
            raise RuntimeError("the first time fails")
        return
    match event["pathParameters"].get("proxy"):
        case "crash":
            os._exit(3)
        case "slow":
            time.sleep(30)
        case "raise":
            raise ValueError("secret")
        case "plain":
            return {"hello": "world"}
        case "bytes":
            return {"statusCode": 201, "headers": {"X-Kind": "raw"}, "body": "AP8=", "isBase64Encoded": True}
        case "environment":
            return {"pid": os.getpid(), **os.environ}
        case "context":
            left = context.get_remaining_time_in_millis()
            return {"left": left, "id": context.aws_request_id, "name": context.function_name}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "functions" / "echo").mkdir(parents=True)
    (folder / "functions" / "echo" / "app.py").write_text(HANDLER)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[LocalStack]:
    with LocalStack.start(folder / "template.yaml") as stack:
        yield stack


@pytest.fixture(scope="module")
def http(stack: LocalStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url) as client:
        yield client


def test_request_becomes_an_api_gateway_event(http: httpx.Client) -> None:
    answer = http.post(
        "/echo/a%20b/c?x=1&x=2&y=",
        content='{"ü": 1}'.encode(),
        headers={"X-One": "1", "Content-Type": "application/json"},
    )
    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /echo/{proxy+}"
    assert (event["rawQueryString"], event["queryStringParameters"]) == ("x=1&x=2&y=", {"x": "1,2", "y": ""})
    assert event["headers"]["x-one"] == "1"
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"ü": 1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["stage"] == "$default"


def test_binary_body_is_base64(http: httpx.Client) -> None:
    event = http.post("/echo/x", content=b"\x00\xff").json()
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


@pytest.mark.parametrize("body", [b'{"upgrade": 1}', b"\r\nUpgrade: in the body\r\n\r\n" * 2, b"x" * 300_000])
def test_offer_to_upgrade_is_ignored(http: httpx.Client, body: bytes) -> None:
    """Java's client offers HTTP/2 with its first request; the body was dropped."""
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAEAAEAAAAIAAAAB"}
    for _ in range(2):  # on one connection
        event = http.post("/echo/a", content=body, headers=offer).json()
        sent = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
        assert (sent, "upgrade" in event["headers"]) == (body, False)


def test_more_specific_route_wins(http: httpx.Client) -> None:
    assert http.get("/echo/me/exact").json()["pathParameters"] == {"name": "me"}
    assert http.post("/echo/me/exact").json()["routeKey"] == "ANY /echo/{proxy+}"


def test_results_become_responses(http: httpx.Client) -> None:
    raw = http.get("/echo/bytes")
    assert (raw.status_code, raw.headers["x-kind"], raw.content) == (201, "raw", b"\x00\xff")
    assert http.get("/echo/plain").json() == {"hello": "world"}


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/echo/crash", 500, "Internal Server Error"),
        ("/echo/raise", 500, "Internal Server Error"),
        ("/echo/slow", 503, "Service Unavailable"),
        ("/nowhere", 404, "Not Found"),
    ],
)
def test_failure_is_answered_and_the_next_request_works(
    http: httpx.Client, path: str, status: int, message: str
) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert http.get("/echo/plain").status_code == 200


def test_request_above_the_limit_is_413(http: httpx.Client) -> None:
    for size_mb in (7, 11):
        assert http.post("/echo/x", content=b"x" * (size_mb << 20)).status_code == 413


def test_handler_environment_is_the_templates(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch, stack: LocalStack
) -> None:
    first, second = http.get("/echo/environment").json(), http.get("/echo/environment").json()
    assert first["pid"] == second["pid"]  # a warm environment is used again
    assert (first["SIZE"], first["TABLE"], first["ENDPOINT"]) == (
        "7",
        "maas-local",
        stack.environment["AWS_ENDPOINT_URL"],
    )
    assert first["BUCKET_ARN"] == "arn:aws:s3:::maas-local/*"
    assert first["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert "VIRTUAL_ENV" not in first
    assert "PYTEST_CURRENT_TEST" not in first


def test_context_has_name_and_remaining_time(http: httpx.Client) -> None:
    context = http.get("/echo/context").json()
    assert context["name"] == "EchoFunction"
    assert 0 < context["left"] <= 3000


def test_matching_object_event_is_retried(stack: LocalStack, folder: Path) -> None:
    s3 = stack.cloud.client("s3")
    for key in ("marks/a/other", "elsewhere/done", "marks/again/done"):
        s3.put_object(Bucket="maas-local", Key=key, Body=b"x")
    calls = folder / "functions" / "echo" / "calls"
    deadline = time.monotonic() + 60
    while (calls.read_text() if calls.exists() else "").count("again") < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert calls.read_text().splitlines() == ["marks/again/done", "marks/again/done"]


def test_port_in_use_is_one_line(stack: LocalStack, folder: Path) -> None:
    port = int(stack.url.rpartition(":")[2])
    with (
        pytest.raises(MaasError, match="choose another port with --port"),
        LocalStack.start(folder / "template.yaml", port=port),
    ):
        pass


def test_template_is_found_in_a_parent_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "functions" / "echo")
    assert find_template() == folder / "template.yaml"


def test_table_request_has_common_properties_only(folder: Path) -> None:
    request = Template.load(folder / "template.yaml").table_request()
    assert sorted(request) == ["AttributeDefinitions", "BillingMode", "KeySchema"]
    assert request["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]


def test_functions_of_the_template() -> None:
    document = intrinsics.load(
        """
        Parameters: {Stage: {Default: test}}
        Conditions: {IsProd: !Equals [!Ref Stage, prod], IsTest: !Not [!Condition IsProd]}
        Value:
          a: !If [IsTest, !Sub "${Stage}-${AWS::Region}", !Ref AWS::NoValue]
          b: !If [IsProd, 1, !Ref AWS::NoValue]
          c: [!GetAtt Queue.Arn, !GetAtt [Queue, Name], {Fn::Sub: "x"}]
        """
    )
    resolver = intrinsics.Resolver(document, {}, str.lower, lambda name: f"arn:{name}")
    assert resolver.resolve(document["Value"]) == {"a": "test-us-east-1", "c": ["arn:Queue", "queue", "x"]}
    with pytest.raises(ValueError, match="Fn::Cidr"):
        resolver.resolve({"Fn::Cidr": []})
