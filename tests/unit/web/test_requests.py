"""HTTP requests from the events of every source, and the form of the answers."""

import base64
from typing import Any

import pytest

from maas.errors import InvalidRequest
from maas.event_kinds import kind_of
from maas.web.requests import Request, asgi_event, http_function, request_of

HEALTH_CHECK = {"httpMethod": "GET", "path": "/ping", "requestContext": {"elb": {"targetGroupArn": "arn"}}}


def http_api(path: str, route: str = "$default", stage: str = "$default", **more: Any) -> dict[str, Any]:
    """Payload 2.0."""
    context = {"http": {"method": "POST"}, "stage": stage}
    return {"version": "2.0", "routeKey": route, "rawPath": path, "requestContext": context} | more


def rest_api(path: str, resource: str, **more: Any) -> dict[str, Any]:
    """Payload 1.0."""
    event = {"version": "1.0", "httpMethod": "GET", "path": path, "resource": resource}
    return event | {"headers": None, "requestContext": {"stage": "prod"}} | more


def load_balancer(**more: Any) -> dict[str, Any]:
    return HEALTH_CHECK | more


@pytest.mark.parametrize("name", ["x-one", "X-One"])
def test_header_names_are_lower_case(name: str) -> None:
    assert request_of(http_api("/v2", headers={name: "1"})).headers == {"x-one": "1"}


def test_multi_value_headers_are_joined() -> None:
    event = load_balancer(multiValueHeaders={"Accept-Encoding": ["gzip", "br"], "X-One": ["1"]})
    assert request_of(event).headers == {"accept-encoding": "gzip, br", "x-one": "1"}


def test_body_forms() -> None:
    assert request_of(http_api("/v2", body="ü")).body == "ü".encode()
    encoded = base64.b64encode(b"\xff").decode()
    assert request_of(http_api("/v2", body=encoded, isBase64Encoded=True)).body == b"\xff"
    assert request_of(http_api("/v2", body=None)).body == b""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (http_api("/v2/models"), "/v2/models"),
        (http_api("/v2/models/"), "/v2/models"),
        (http_api("/v2/models//"), "/v2/models/"),
        (http_api("/"), "/"),
        (http_api("/v2/models/a%20b"), "/v2/models/a b"),
        (http_api("/prod/v2/models", stage="prod"), "/v2/models"),
        (http_api("/production", stage="prod"), "/production"),
        (http_api("/prod/ping", "GET /ping", "prod"), "/ping"),
        (http_api("/prod", "GET /", "prod"), "/"),
        (http_api("/prod/v2/models", "ANY /v2/{proxy+}", "prod"), "/v2/models"),
        (http_api("/v2/v2/models", "ANY /v2/{proxy+}", "v2"), "/v2/models"),
        (http_api("/v2/models", "ANY /v2/{proxy+}", "v2"), "/v2/models"),
        (http_api("/a/b/v2/models", "ANY /v2/{proxy+}"), "/v2/models"),
        (http_api("/v2/v2/m", "ANY /v2/{proxy+}", pathParameters={"proxy": "m/"}), "/v2/m"),
        (http_api("/x/m/one/infer", "ANY /m/{name}/infer", pathParameters={"name": "one"}), "/m/one/infer"),
        (rest_api("/v2", "/v2"), "/v2"),
        (rest_api("/maas/v2/models", "/v2/{proxy+}", pathParameters={"proxy": "models"}), "/v2/models"),
        (rest_api("/maas/v2/models", "/v2/{proxy+}", pathParameters=None), "/v2/models"),
        (load_balancer(path="/v2/models/"), "/v2/models"),
    ],
)
def test_path_of_the_route(event: dict[str, Any], expected: str) -> None:
    assert request_of(event).path == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (http_api("/", rawQueryString="tag=a%3Db&tag=c"), "tag=a%3Db&tag=c"),
        (rest_api("/", "/", queryStringParameters={"tag": "a=b c"}), "tag=a%3Db+c"),
        (rest_api("/", "/", multiValueQueryStringParameters={"tag": ["a=b", "c"]}), "tag=a%3Db&tag=c"),
        (load_balancer(queryStringParameters={"tag": "a%3Db"}), "tag=a%3Db"),
        (load_balancer(multiValueQueryStringParameters={"tag": ["a%3Db", "c"]}), "tag=a%3Db&tag=c"),
    ],
)
def test_query_string(event: dict[str, Any], expected: str) -> None:
    assert request_of(event).query == expected


@pytest.mark.parametrize(
    "event",
    [
        {"requestContext": {"http": {"method": "GET"}}},
        {"requestContext": {"http": "GET"}, "rawPath": "/"},
        {"rawPath": "/v2"},
        {"httpMethod": "GET", "path": None},
        {"httpMethod": 7, "path": "/"},
        http_api("/v2", headers=["host"]),
        http_api("/v2", headers={"host": None}),
        http_api("/v2", headers={"x": "\ud800"}),
        http_api("/v2/\ud800"),
        http_api("/v2/%ff"),
        http_api("/v2", body=b"x"),
        http_api("/v2", body={"a": 1}),
        http_api("/v2", body="x", isBase64Encoded=True),
        http_api("/v2", "ANY /v2/{proxy+}", pathParameters={"proxy": 1}),
        http_api("/v2", "ANY /v2/{proxy+}", pathParameters="proxy"),
        load_balancer(multiValueHeaders={"a": "b", "c": None}),
        load_balancer(multiValueQueryStringParameters={"a": None}),
    ],
)
def test_malformed_event_answers_400(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="the event is no valid HTTP request"):
        request_of(event)
    answer = http_function(_echo)(event, None)
    assert answer["statusCode"] == 400 and '"error"' in answer["body"]


def _echo(request: Request, _: Any) -> dict[str, Any]:
    body = f"{request.method} {request.path}"
    return {"statusCode": 200, "headers": {"a": "1"}, "body": body, "isBase64Encoded": False}


def test_head_is_get_without_a_body() -> None:
    event = http_api("/v2")
    event["requestContext"]["http"]["method"] = "HEAD"
    assert request_of(event).method == "GET"
    assert http_function(_echo)(event, None) == _echo(request_of(event), None) | {"body": ""}
    assert http_function(_echo)(load_balancer(httpMethod="HEAD"), None)["body"] == ""


def test_load_balancer_answers() -> None:
    single = http_function(_echo)(load_balancer(headers={}), None)
    assert single == _echo(request_of(HEALTH_CHECK), None) | {"statusDescription": "200 OK"}
    many = http_function(_echo)(load_balancer(multiValueHeaders={"host": ["a"]}), None)
    assert many["multiValueHeaders"] == {"a": ["1"]} and "headers" not in many


def test_options_is_answered_without_the_function() -> None:
    answer = http_function(_echo)(load_balancer(httpMethod="OPTIONS"), None)
    assert (answer["statusCode"], answer["body"]) == (204, "")


def test_host_is_not_passed_to_frameworks() -> None:
    event = asgi_event(request_of(http_api("/v2/ü%25", headers={"Host": "[::1", "x-forwarded-port": "x", "a": "b"})))
    assert event["headers"] == {"a": "b"}
    assert event["requestContext"]["http"]["path"] == "/v2/%C3%BC%25"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({}, "empty event"),
        (None, "event of type NoneType"),
        ([], "event of type list"),
        ({"warmer": True}, "warm-up event"),
        ({"source": "serverless-plugin-warmup"}, "warm-up event"),
        ({"key1": "value1"}, "unknown event"),
        ({"detail-type": "Scheduled Event", "source": "aws.events"}, "scheduled event"),
        ({"detail-type": "Object Created", "source": "aws.s3"}, "EventBridge event 'Object Created' of aws.s3"),
        ({"Event": "s3:TestEvent", "Service": "Amazon S3"}, "S3 test event"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "S3 notification"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "SNS notification"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "SQS messages"),
        ({"Records": [{"eventSource": "aws:kinesis"}]}, "records of aws:kinesis"),
        ({"Records": [None]}, "records of an unknown source"),
        ({"Records": []}, "unknown event"),
        (http_api("/"), "HTTP request"),
        (HEALTH_CHECK, "HTTP request"),
    ],
)
def test_kind_of_event(event: Any, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert kind_of(event) == kind
    if kind != "HTTP request":
        assert http_function(_echo)(event, None) == {"ignored": kind}
        assert '"message":"ignored","timestamp":' in capsys.readouterr().out
