"""The gateway calls an authorizer as API Gateway does: identity sources, caching, its own answers."""

import time
from collections.abc import Iterator

import httpx
import pytest

from maas_local.stack import LocalStack
from support import local_project

RESOURCES = """
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        components:
          securitySchemes:
            Remembered:
              x-amazon-apigateway-authorizer: &asked
                type: request
                authorizerResultTtlInSeconds: 1
                identitySource: "$request.header.X-Who, $request.header.x-where"
                authorizerUri: !Sub "arn:aws:apigateway:us-east-1:lambda:path/1/functions/${Asked.Arn}/invocations"
            EachTime:
              x-amazon-apigateway-authorizer: {<<: *asked, authorizerResultTtlInSeconds: 0, identitySource: ""}
        paths:
          /remembered: {x-amazon-apigateway-any-method: {security: [{Remembered: []}]}}
          "/each/{proxy+}": {get: {security: [{EachTime: []}]}}
          /open: {get: {security: []}}
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/one
      Events:
        Remembered: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /remembered, Method: ANY}}
        Each: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/each/{proxy+}", Method: GET}}
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /open, Method: GET}}
        Unsaid: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /unsaid, Method: GET}}
  Asked:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/one, Handler: app.authorize}
"""
HANDLER = """
import itertools, json

calls = itertools.count(1)

def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}

def authorize(event, context):
    match event["headers"].get("x-who"):
        case "nobody": return {"isAuthorized": False}
        case "broken": return {"isAuthorized": "yes"}
        case "raises": raise ValueError
    told = {name: event[name] for name in ("version", "type", "routeKey", "identitySource", "routeArn")}
    return {"isAuthorized": True, "context": {"call": next(calls), "body": "body" in event, **told}}
"""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    template = local_project.write(tmp_path_factory.mktemp("project"), RESOURCES, HANDLER)
    with LocalStack.start(template) as stack, httpx.Client(base_url=stack.url, timeout=20) as client:
        assert stack.api_key
        yield client


def who(name: str, where: str = "here") -> dict[str, str]:
    return {"x-who": name, "X-Where": where}


def test_missing_identity_header_is_401(http: httpx.Client) -> None:
    for headers in ({}, {"x-who": "ann"}, {"x-where": "here"}, {"x-who": "", "x-where": "here"}):
        answer = http.get("/remembered", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_answer_is_cached_per_identity_headers(http: httpx.Client) -> None:
    def call(headers: dict[str, str]) -> int:
        found: int = http.post("/remembered", headers=headers, content=b"x").json()["lambda"]["call"]
        return found

    # A busy machine may need more than the second between two calls.
    assert any(call(who("ann")) == call(who("ann") | {"x-other": "y"}) for _ in range(5))
    first = call(who("ann"))
    assert call(who("bob")) > first
    assert call(who("ann", "there")) > first
    time.sleep(1.1)
    assert call(who("ann")) > first


def test_no_identity_source_means_no_cache(http: httpx.Client) -> None:
    first, second = (http.get("/each/a").json()["lambda"] for _ in range(2))
    assert second["call"] > first["call"]
    assert (
        first | {"version": "2.0", "type": "REQUEST", "routeKey": "GET /each/{proxy+}", "identitySource": []} == first
    )
    assert first["routeArn"].endswith("/$default/GET/each/a")
    assert not first["body"]  # API Gateway does not show it the body


def test_refusals_have_api_gateways_messages(http: httpx.Client) -> None:
    for name, status, message in (
        ("nobody", 403, "Forbidden"),
        ("broken", 500, "Internal Server Error"),
        ("raises", 500, "Internal Server Error"),
    ):
        answer = http.get("/remembered", headers=who(name))
        assert (answer.status_code, answer.json()) == (status, {"message": message})


def test_route_without_authorizer(http: httpx.Client) -> None:
    for path in ("/open", "/unsaid"):
        assert http.get(path).json() is None
