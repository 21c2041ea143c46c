"""Every client goes where the variables of AWS's SDKs say."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from maas import bootstrap
from maas.access.api_keys import new_secret
from maas.aws.account import Account
from maas.aws.clients import client
from maas.aws.event_bus import EventBus
from maas.aws.s3_reader import S3Reader
from maas.aws.s3_writer import S3Writer
from maas.aws.signed import service_url
from maas.aws.sns import Topics
from maas.settings import Settings

SERVICES = ["s3", "dynamodb", "sqs", "sns", "events"]
OURS = {"MAAS_TABLE": "table", "MAAS_BUCKET": "bucket", "MAAS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/q"}
KEY, _ = new_secret("0" * 16)
ALL, ONE = "http://all.invalid:1", "http://one.invalid:2"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"AWS_ENDPOINT_URL": ""},
        {"AWS_ENDPOINT_URL": ALL},
        {"AWS_ENDPOINT_URL_S3": ONE, "AWS_ENDPOINT_URL_EVENTBRIDGE": ONE},
        {"AWS_ENDPOINT_URL": ALL, "AWS_ENDPOINT_URL_DYNAMODB": ONE, "AWS_ENDPOINT_URL_SQS": ONE},
        {"AWS_ENDPOINT_URL": ALL, "AWS_ENDPOINT_URL_SNS": ONE, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"},
    ],
    ids=str,
)
def test_endpoint_is_the_one_of_boto3(
    given: dict[str, str], region: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    expected = Session().create_client(service, region_name=region).meta.endpoint_url
    assert service_url(service, region, Settings.from_env(OURS | given).endpoint(service)) == expected


class Recorder(ThreadingHTTPServer):
    """Refuses every request, and keeps the services that they are signed for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.services: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Refusal(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        signed = re.search(r"/(\w+)/aws4_request", self.headers["authorization"])
        self.server.services.add(signed[1] if signed else "")
        self.send_response(400)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """Clients of no given endpoint are kept, and with them what boto3 found configured."""
    client.cache_clear()
    yield
    client.cache_clear()


@pytest.mark.usefixtures("fresh_clients")
def test_every_client_follows_the_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with recorder() as everything, recorder() as s3:
        given = {"AWS_ENDPOINT_URL": everything.url, "AWS_ENDPOINT_URL_S3": s3.url}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        settings = Settings.from_env(OURS | given | {"MAAS_TMP_DIR": str(tmp_path)})
        place = settings.region, settings.endpoint("s3"), settings.bucket
        events, sns = (client(one, settings.region, settings.endpoint(one)) for one in ("events", "sns"))
        calls = [
            (everything, "dynamodb", lambda: bootstrap.dataplane(settings).resolve("m", "1")),
            (everything, "dynamodb", lambda: bootstrap.authorizer(settings).context({"x-api-key": KEY})),
            (everything, "dynamodb", lambda: bootstrap.registry(settings).models.get("m")),
            (s3, "s3", lambda: S3Reader(*place).read("key")),
            (s3, "s3", lambda: S3Writer(*place).put_new("key", b"")),
            (s3, "s3", lambda: bootstrap.bucket(settings).read("key")),
            (everything, "sqs", lambda: bootstrap.queue(settings).send([{}])),
            (everything, "events", lambda: EventBus(events).put("kind", {})),
            (everything, "sns", lambda: Topics(sns).publish("arn:aws:sns:eu-west-1:1:maas-t", {})),
            (everything, "sts", lambda: Account("eu-west-1").identity()),
            (everything, "cloudformation", lambda: Account("eu-west-1").table_of("maas")),
            (everything, "dynamodb", lambda: Account("eu-west-1").table("t").get(("a", "b"))),
        ]
        for number, (server, service, call) in enumerate(calls):
            everything.services.clear()
            s3.services.clear()
            with suppress(Exception):
                call()
            assert (number, server.services) == (number, {service})
            assert everything.services | s3.services == {service}
