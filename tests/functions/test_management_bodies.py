"""Bodies of the management API: JSON, whatever the content type says, also compressed."""

import gzip
import json
from types import ModuleType

import pytest

from conftest import LoadFunction
from support import wire
from support.registry_steps import FILE

TYPES = [None, "", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "image/png"]


@pytest.fixture
def app(load_function: LoadFunction) -> ModuleType:
    return load_function("ManagementFunction")


def post(app: ModuleType, body: bytes, headers: dict[str, str], scopes: str | None = "admin") -> tuple[int, str]:
    event = wire.event("/api/v1/models", body, headers)
    authorizer = {"lambda": {"actor": "arn:ann", "scopes": scopes}} if scopes else None
    event["requestContext"]["authorizer"] = authorizer
    answer = app.lambda_handler(event, wire.CONTEXT)
    return answer["statusCode"], json.loads(answer["body"]).get("error", "")


def test_content_type_does_not_matter(app: ModuleType) -> None:
    for number, kind in enumerate(TYPES):
        headers = {} if kind is None else {"content-type": kind}
        assert post(app, json.dumps({"name": f"m{number}"}).encode(), headers) == (201, "")
        assert post(app, b"name=m", headers) == (400, "body: not JSON (Expecting value at character 0)")


def test_compressed_body(app: ModuleType) -> None:
    packed = gzip.compress(b'{"name": ') + gzip.compress(b'"packed"}')
    assert post(app, packed, {"content-encoding": "gzip"}) == (201, "")
    status, error = post(app, gzip.compress(b" " * 7_000_000), {"content-encoding": "gzip"})
    assert status == 413 and "limit of 6,291,456 bytes" in error
    assert post(app, packed[:-9], {"content-encoding": "gzip"}) == (400, "body: the gzip data is cut off")
    assert post(app, packed[:-9], {"content-encoding": "gzip"}, scopes=None)[0] == 401


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b'{"name": "\\ud800"}', b'{"name": 1e999}', b"null", b"[1]"])
def test_hostile_json(app: ModuleType, body: bytes) -> None:
    status, error = post(app, body, {})
    assert status == 400 and error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": "My Model"}, "name: got 'My Model', expected 1 to 63 lower-case letters, digits"),
        ({"name": 5}, "name: got 5: Input should be a valid string"),
        ({"name": True}, "name: got true: Input should be a valid string"),
        ({"name": ["m"]}, "name: got an array: Input should be a valid string"),
        ({"name": {"m": 1}}, "name: got an object: Input should be a valid string"),
        ({"name": None}, "name: got nothing: Input should be a valid string"),
        (["m"], "body: got an array: Input should be a valid dictionary"),
        ({}, "name: Field required"),
        ({"name": "m", "tags": {"a=b": "c"}}, "tags.a=b.[key]: got the key 'a=b', "),
        ({"name": "m" * 9000}, f"name: got '{'m' * 79}, expected 1 to 63"),
    ],
)
def test_errors_say_what_came(app: ModuleType, body: object, error: str) -> None:
    status, told = post(app, json.dumps(body).encode(), {})
    assert (status, told[: len(error)]) == (400, error)


@pytest.mark.full
@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        (
            "POST",
            "keys",
            {"name": "ci", "scopes": ["admn"]},
            "scopes.0: got 'admn', expected one of models:read, models:",
        ),
        (
            "POST",
            "keys",
            {"name": "ci", "scopes": ["infer:M"]},
            "scopes.0: got 'infer:M', expected one of models:read, ",
        ),
        (
            "POST",
            "models/m/versions",
            {"files": [{"name": "../x.onnx", "size_bytes": 1, "sha256": "0" * 64}]},
            "files.0.name: got '../x.onnx', expected a relative path of at most 200 bytes without control characters",
        ),
        (
            "POST",
            "models/m/versions",
            {"files": [{"name": "x.onnx", "size_bytes": 1, "sha256": "AB" * 32}]},
            f"files.0.sha256: got '{'AB' * 32}', expected 64 lower-case hexadecimal digits",
        ),
        ("GET", "keys/nope", None, "id: got 'nope', expected 16 lower-case hexadecimal digits"),
        ("GET", "jobs/nope", None, "job: got 'nope', expected 20 lower-case hexadecimal digits"),
        (
            "GET",
            "models/Größe",
            None,
            "model: got 'Größe', expected 1 to 63 lower-case letters, digits, '.', '_' and '-'",
        ),
        (
            "PUT",
            "models/m/aliases/5",
            {"version": 1},
            "alias: got '5', expected 1 to 63 lower-case letters, digits, '.',",
        ),
    ],
)
def test_text_of_another_form_is_refused_in_words(
    app: ModuleType, method: str, path: str, body: object, error: str
) -> None:
    event = wire.event(f"/api/v1/{path}", json.dumps(body).encode() if body else b"", method=method)
    event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
    answer = app.lambda_handler(event, wire.CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])["error"][: len(error)]) == (400, error)


def test_errors_of_a_query_say_what_came(app: ModuleType) -> None:
    event = wire.event("/api/v1/models?limit=x", b"", method="GET")
    event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
    answer = json.loads(app.lambda_handler(event, wire.CONTEXT)["body"])
    assert answer["error"] == "limit: got 'x', expected a whole number, in digits"


def test_long_names_are_cut_in_errors(app: ModuleType) -> None:
    body = json.dumps({"name": "m", "tags": {"k" * 4_000_000: "v"}}).encode()
    status, error = post(app, body, {})
    assert status == 400 and error.startswith("tags.kkk") and len(error) < 50_000


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00"])
def test_times_that_utc_lacks(app: ModuleType, time: str) -> None:
    of_alias = wire.event(f"/api/v1/models/m/aliases/a?at={time.replace('+', '%2B')}", b"", method="GET")
    key = json.dumps({"name": "ci", "scopes": ["models:read"], "expires_at": time}).encode()
    for event, field in ((of_alias, "at"), (wire.event("/api/v1/keys", key), "expires_at")):
        event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
        answer = app.lambda_handler(event, wire.CONTEXT)
        found = json.loads(answer["body"])
        assert (answer["statusCode"], found.get("field")) == (400, field), found
        assert "expected a time in the years 1 to 9999 in UTC" in found["error"]


def test_captures_until_the_first_of_all_times(app: ModuleType) -> None:
    registry = __import__("objects").registry
    registry.models.create("m", "", {}, "ann")
    registry.versions.create("m", [FILE], "", {}, "ann")
    earliest = "/api/v1/models/m/versions/1/captures?to=0001-01-01T00:00:00Z"
    event = wire.event(earliest, b"", method="GET")
    event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
    answer = app.lambda_handler(event, wire.CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (400, "from")


@pytest.mark.full
def test_pages_end_before_an_answers_limit(app: ModuleType) -> None:
    """A thousand models of 20 kB each would be twelve times what Lambda can answer."""
    tags = {f"k{number:03}{'k' * 100}": '"' * 256 for number in range(50)}
    registry = __import__("objects").registry
    for number in range(60):
        registry.models.create(f"m{number:03}", "", tags, "ann")
    names, token, pages = [], "", 0
    while token is not None:
        query = f"?limit=1000{f'&page_token={token}' if token else ''}"
        event = wire.event(f"/api/v1/models{query}", b"", {}, "GET")
        event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
        answer = app.lambda_handler(event, wire.CONTEXT)
        assert answer["statusCode"] == 200 and len(json.dumps(answer)) < 6_000_000
        page = json.loads(answer["body"])
        names += [model["name"] for model in page["models"]]
        token, pages = page["next_page_token"], pages + 1
    assert names == [f"m{number:03}" for number in range(60)] and pages == 2
