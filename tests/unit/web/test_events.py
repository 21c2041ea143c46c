"""Lambda events and answers, errors, settings, downloads, signatures."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from maas import errors
from maas.aws.s3_reader import S3Reader
from maas.aws.signed import SignedClient
from maas.settings import MissingSetting, Settings
from maas.web import events
from maas_local.template import Template
from support.aws.engine import TEMPLATE


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidTensor("x", "data", 1, 2), 400),
        (errors.NotFound("model", "m"), 404),
        (errors.AlreadyExists("model", "m"), 409),
        (errors.ServiceUnavailable("S3"), 503),
        (errors.InsufficientStorage(2, 1), 507),
        (errors.MaasError("unlisted"), 500),
    ],
)
def test_status_of_error_classes(error: errors.MaasError, status: int) -> None:
    came, document = events.error_document(error)
    assert (came, document["error"]) == (status, error.message)


def test_long_error_messages_are_cut() -> None:
    answer = events.error_answer(errors.InvalidTensor("n" * 7_000_000, "name", "it", "another"))
    assert answer["statusCode"] == 400
    assert len(answer["body"]) < 3 * events.ERROR_LIMIT


def test_unknown_errors_reveal_nothing() -> None:
    status, document = events.error_document(ValueError("secret"))
    assert (status, document) == (500, {"error": events.INTERNAL_ERROR})


def test_missing_setting_is_named() -> None:
    with pytest.raises(MissingSetting, match="MAAS_BUCKET is not set"):
        Settings.from_env({"MAAS_TABLE": "t"})
    with pytest.raises(MissingSetting, match="MAAS_TMP_MB: got 'much', expected a whole number"):
        Settings.from_env({"MAAS_TABLE": "t", "MAAS_BUCKET": "b", "MAAS_TMP_MB": "much"})


@pytest.mark.parametrize(("memory_mb", "threads"), [(128, 1), (1769, 1), (1770, 2), (10240, 6)])
def test_threads_of_a_memory_size(memory_mb: int, threads: int) -> None:
    assert Settings("t", "b", memory_mb=memory_mb).threads == threads


def test_settings_of_every_function() -> None:
    from dataclasses import fields

    variables = {spec.metadata["variable"] for spec in fields(Settings)}
    for function in Template.load(TEMPLATE).functions().values():
        assert {name for name in function.environment if not name.startswith("POWERTOOLS_")} <= variables
        Settings.from_env(function.environment)


SAID = {"xml": b"<Error><Code>InternalError</Code><Message>a &lt; b</Message></Error>"}
SAID |= {"json": b'{"__type": "InternalServerError", "message": "a < b"}'}


class Server(BaseHTTPRequestHandler):
    """Answers each request as the next line of `script` says; records the requests in `came`."""

    script: list[str]
    came: list[tuple[str, str, dict[str, str]]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.came.append((self.command, self.path, dict(self.headers)))
        step = self.script.pop(0) if self.script else "ok"
        if step == "hang up":
            self.close_connection = True
            return
        body = SAID.get(step, b"0123456789")
        self.send_response({"error": 503, "absent": 404, "xml": 500, "json": 500}.get(step, 200))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:4] if step == "half" else body)
        self.close_connection = step == "half"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Server]]]:
    handler = type("Handler", (Server,), {"script": [], "came": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


@pytest.mark.parametrize("script", [[], ["error"], ["hang up"], ["half"], ["error", "half", "hang up"]])
def test_download_is_retried(server: tuple[str, type[Server]], tmp_path: Path, script: list[str]) -> None:
    url, handler = server
    handler.script.extend(script)
    S3Reader("us-east-1", url, "bucket").download("key", tmp_path / "file", 10)
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert len(handler.came) == len(script) + 1


def test_unavailable_service(server: tuple[str, type[Server]], tmp_path: Path) -> None:
    url, handler = server
    handler.script.extend(["error"] * 20)
    with pytest.raises(errors.ServiceUnavailable, match=r"^S3 answered 503$"):
        S3Reader("us-east-1", url, "bucket").download("key", tmp_path / "file", 10)
    handler.script[:] = ["hang up"] * 20
    with pytest.raises(errors.ServiceUnavailable, match=r"^S3 did not answer; try again$"):
        S3Reader("us-east-1", url, "bucket").download("key", tmp_path / "file", 10)


def test_answer_names_no_account() -> None:
    said = "Throttled: the limit of arn:aws:dynamodb:eu-west-1:123456789012:table/maas is reached"
    _, document = events.error_document(errors.ServiceUnavailable("DynamoDB", said))
    assert document == {"error": "DynamoDB answered Throttled: the limit of arn:… is reached"}


@pytest.mark.parametrize("form", SAID)
def test_unavailable_service_says_why(server: tuple[str, type[Server]], tmp_path: Path, form: str) -> None:
    url, handler = server
    handler.script.extend([form] * 20)
    with pytest.raises(errors.ServiceUnavailable, match=r"^S3 answered 500: a < b$"):
        S3Reader("us-east-1", url, "bucket").download("key", tmp_path / "file", 10)


def test_absent_object_is_not_retried(server: tuple[str, type[Server]], tmp_path: Path) -> None:
    url, handler = server
    handler.script.append("absent")
    with pytest.raises(errors.NotFound):
        S3Reader("us-east-1", url, "bucket").download("key", tmp_path / "file", 10)
    assert len(handler.came) == 1


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize(
    ("service", "path", "query"),
    [
        ("s3", "/bucket/models/m/1/source/model.onnx", {}),
        ("s3", "/bucket/models/m/1/source/model.onnx", {"versionId": "a.b/c+d=="}),
        ("s3", "/bucket/a b/ü+~(1).onnx", {"x": "ü &", "a": ""}),
        ("dynamodb", "/", {}),
    ],
)
def test_signatures_equal_botocores(
    server: tuple[str, type[Server]],
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
    service: str,
    path: str,
    query: dict[str, str],
) -> None:
    url, handler = server
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    with SignedClient(service, "eu-west-1", url).request("GET", path, query, {"x-amz-target": "T"}) as response:
        response.read()
    ((method, sent_path, headers),) = handler.came
    sent = {name.lower(): value for name, value in headers.items()}
    signed = sent["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-target"} <= set(signed)

    request = AWSRequest(method, url + sent_path, {name: sent[name] for name in signed})
    request.context["timestamp"] = sent["x-amz-date"]
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    theirs = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-west-1")
    signature = theirs.signature(theirs.string_to_sign(request, theirs.canonical_request(request)), request)
    assert sent["authorization"].endswith(f"Signature={signature}")
