"""The gateway over real HTTP: behaviour that API Gateway defines."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from maas_local.stack import LocalStack
from support import local_project

RESOURCES = """
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/one
      Events:
        All: {Type: HttpApi, Properties: {Path: "/one/{proxy+}", Method: ANY}}
        Root: {Type: HttpApi, Properties: {Path: /one, Method: ANY}}
"""
HANDLER = """
import json, time

ANSWERS = {
    "status": {"statusCode": "many"},
    "range": {"statusCode": 999},
    "object": {"statusCode": 200, "body": {"not": "text"}},
    "base64": {"statusCode": 200, "body": "abc", "isBase64Encoded": True},
    "headers": {"statusCode": 200, "headers": ["a"]},
    "text": {"statusCode": 200, "body": "ü"},
    "none": {"statusCode": 204},
    "list": [1, 2],
    "cookies": {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "headers": {"X-N": 7, "Content-Length": "999",
                "Transfer-Encoding": "chunked"}, "body": "c"},
    "large": {"statusCode": 200, "body": "x" * 7_000_000},
}

def lambda_handler(event, context):
    what = event.get("pathParameters", {}).get("proxy")
    if what == "echo":
        return {"statusCode": 200, "body": event.get("body", "")}
    if what == "length":
        return {"statusCode": 200, "body": str(len(event["body"]))}
    return ANSWERS[what] if what in ANSWERS else {"statusCode": 200, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with LocalStack.start(local_project.write(tmp_path_factory.mktemp("project"), RESOURCES, HANDLER)) as stack:
        yield stack.url


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=10) as client:
        yield client


@pytest.mark.parametrize("what", ["status", "range", "object", "base64", "headers", "large"])
def test_invalid_response_is_500(http: httpx.Client, what: str) -> None:
    answer = http.get(f"/one/{what}")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert answer.json() == {"message": "Internal Server Error"}


def test_response_mapping(http: httpx.Client) -> None:
    text = http.get("/one/text")
    assert (text.text, text.headers["content-type"]) == ("ü", "text/plain; charset=utf-8")
    assert (http.get("/one/none").status_code, http.get("/one/none").content) == (204, b"")
    assert http.get("/one/list").json() == [1, 2]
    cookies = http.get("/one/cookies")
    assert cookies.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2"]
    assert (cookies.headers["x-n"], cookies.headers["content-length"], cookies.text) == ("7", "1", "c")
    head = http.head("/one/text")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/csv", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/jsonlines", False),
        ("application/octet-stream", False),
        (None, False),
    ],
)
def test_body_is_text_only_for_text_types(http: httpx.Client, content_type: str | None, is_text: bool) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    event = http.post("/one/x", content=b"a", headers=headers).json()
    assert (event["body"], event["isBase64Encoded"]) == (("a", False) if is_text else ("YQ==", True))


@pytest.mark.parametrize("text", ['"a\\\\\n\x00ü' * 300_000, "", "{}"])
def test_text_arrives_as_sent_and_returns_so(http: httpx.Client, text: str) -> None:
    answer = http.post("/one/echo", content=text.encode(), headers={"content-type": "application/json"})
    assert answer.text == text


def test_text_that_is_not_utf8_has_replacement_characters(http: httpx.Client) -> None:
    assert http.post("/one/echo", content=b"a\xff", headers={"content-type": "text/plain"}).text == "a\ufffd"


def test_limit_counts_escapes(http: httpx.Client) -> None:
    fits = [b"x" * 4_000_000, b'"' * 3_000_000, b"\n" * 3_000_000]
    does_not = [b'"' * 4_000_000, b"\1" * 3_000_000]
    text = {"content-type": "text/plain"}
    found = [http.post("/one/length", content=body, headers=text).status_code for body in (*fits, *does_not)]
    assert found == [200, 200, 200, 413, 413]


def test_paths_are_decoded_once(http: httpx.Client) -> None:
    event = http.get("/one/a%2525b%20c").json()
    assert (event["rawPath"], event["pathParameters"]) == ("/one/a%25b c", {"proxy": "a%25b c"})


def test_greedy_route_takes_a_slash_at_the_end(http: httpx.Client) -> None:
    """A route of its own for it is refused by API Gateway: a route's path does not end with a slash."""
    event = http.get("/one/").json()
    assert (event["routeKey"], event["rawPath"]) == ("ANY /one/{proxy+}", "/one/")


def test_repeated_headers_and_cookies(url: str, http: httpx.Client) -> None:
    headers = [("X-Many", "1"), ("x-many", "2"), ("Cookie", "a=1; b=2")]
    event = http.get("/one", headers=headers).json()
    assert event["headers"]["x-many"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert "body" not in event and "pathParameters" not in event and "queryStringParameters" not in event
    context = event["requestContext"]
    assert context["domainName"] == url.removeprefix("http://")
    assert context["http"] | {"method": "GET", "path": "/one", "protocol": "HTTP/1.1"} == context["http"]
    assert (context["routeKey"], context["stage"], len(str(context["timeEpoch"]))) == ("ANY /one", "$default", 13)


def test_connection_is_kept_after_failures(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rb") as answers:
        for path, expected in [("/one/text", b"200"), ("/no", b"404"), ("/one/status", b"500"), ("/one/list", b"200")]:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert answers.readline().split()[1] == expected
            length = 0
            while (line := answers.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            answers.read(length)


def test_no_websocket(http: httpx.Client) -> None:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert http.get("/no", headers=upgrade).json() == {"message": "Not Found"}


def test_missing_template_is_an_error(tmp_path: Path) -> None:
    from maas_client.errors import MaasError

    with pytest.raises(MaasError, match="no template"), LocalStack.start(tmp_path / "template.yaml"):
        pass
