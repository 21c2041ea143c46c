"""Webhooks: https to public addresses only, whatever a name resolves to."""

import datetime
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from maas.errors import InvalidRequest
from maas.notices import webhook
from maas.notices.webhook import check_notify

HOST, PUBLIC = "hooks.example.com", "93.184.216.34"
OTHER, PUBLIC_6 = "8.8.8.8", "2606:2800:220:1::1"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://:secret@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com:0/",
        "https://",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://localhost/",
        "https://instance-data.ec2.internal/",
        "https://hooks.example.com:port/",
        "ftp://hooks.example.com/",
        "arn:aws:sqs:us-east-1:123456789012:queue",
        "x" * 3000,
        "https://a..b/",
        f"https://{'a' * 64}.example.com/",
        "https://example.com/ü",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com/\n",
    ],
)
def test_refused_addresses(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_notify(url)
    assert refused.value.field == "notify"


@pytest.mark.parametrize(
    "notify",
    [None, "https://hooks.example.com/maas?a=1", "https://8.8.8.8/", "arn:aws:sns:us-east-1:123456789012:maas-done"],
)
def test_accepted_addresses(notify: str | None) -> None:
    assert check_notify(notify) == notify


@pytest.mark.full
def test_name_of_a_private_address_is_never_called(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, [PUBLIC, "169.254.169.254"])
    monkeypatch.setattr(socket, "create_connection", _never)
    assert webhook.post(f"https://{HOST}/", {}) == f"{HOST} is 169.254.169.254, which is not a public address"


def test_invalid_url_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored job may hold a URL that the check refuses today."""
    monkeypatch.setattr(webhook, "PAUSES_SECONDS", (None,))
    assert (webhook.post("https://a..b/", {}) or "").startswith("a..b cannot be resolved (")
    _resolve(monkeypatch, ["1.1.1.1"])
    monkeypatch.setattr(socket, "create_connection", _never)
    assert webhook.post(f"https://{HOST}/ü", {}) == f"{HOST} did not answer (UnicodeEncodeError)"


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Hook"]:
    """A server on this machine with a certificate for HOST; connections to PUBLIC go there."""
    _write_certificate(tmp_path)
    with Hook(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connect = socket.create_connection

        def connected(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
            assert address in {
                (PUBLIC, 443),
                (OTHER, 443),
                (PUBLIC_6, 443),
            }  # the checked addresses, not the name again
            server.tried.append(address[0])
            if address[0] != PUBLIC:
                raise ConnectionRefusedError
            return connect(server.server_address, *rest, **more)

        _resolve(monkeypatch, [PUBLIC])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        monkeypatch.setattr(socket, "create_connection", connected)
        monkeypatch.setattr(webhook, "PAUSES_SECONDS", (0.0, 0.0, None))
        yield server
        server.shutdown()


def test_message_is_posted(hook: "Hook") -> None:
    assert webhook.post(f"https://{HOST}/maas?key=1", {"status": "SUCCEEDED"}) is None
    assert hook.seen == [("/maas?key=1", HOST, {"status": "SUCCEEDED"})]


def test_failures_are_retried_and_redirects_not_followed(hook: "Hook") -> None:
    hook.statuses = [503, 302]
    assert webhook.post(f"https://{HOST}/", {}) is None
    hook.statuses = [500, 500, 302]
    assert webhook.post(f"https://{HOST}/", {}) == f"{HOST} answered 302"
    assert len(hook.seen) == 6


def test_untrusted_certificate_gets_no_message(hook: "Hook", monkeypatch: pytest.MonkeyPatch) -> None:
    problem = webhook.post("https://another.example.com/", {})
    assert problem == "another.example.com did not answer (SSLCertVerificationError)"
    assert hook.seen == []


def test_all_addresses_are_tried_ipv4_first(hook: "Hook", monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, [PUBLIC_6, OTHER, PUBLIC])
    assert webhook.post(f"https://{HOST}/", {}) is None
    assert hook.tried == [OTHER, PUBLIC]
    hook.tried.clear()
    _resolve(monkeypatch, [PUBLIC_6, OTHER])
    monkeypatch.setattr(webhook, "PAUSES_SECONDS", (None,))
    assert webhook.post(f"https://{HOST}/", {}) == f"{HOST} did not answer (ConnectionRefusedError)"
    assert hook.tried == [OTHER, PUBLIC_6]


def test_time_limit_holds_for_the_whole_attempt(hook: "Hook", monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that sends a byte now and then does not extend the limit."""
    hook.drips = 900
    monkeypatch.setattr(webhook, "ATTEMPT_SECONDS", 1.0)
    monkeypatch.setattr(webhook, "PAUSES_SECONDS", (None,))
    began = time.monotonic()
    assert webhook.post(f"https://{HOST}/", {}) == f"{HOST} did not answer (TimeoutError)"
    assert time.monotonic() - began < 60  # of 90 that the bytes take


class Hook(ThreadingHTTPServer):
    """Answers with `statuses` in turn, then 204. `drips` bytes come before an answer, ten a second."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.seen: list[tuple[str, str, object]] = []
        self.statuses: list[int] = []
        self.tried: list[str] = []
        self.drips = 0

    def handle_error(self, *_: object) -> None:
        pass  # clients that do not trust the certificate hang up


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((self.path, self.headers["host"], json.loads(body)))
        for byte in b"HTTP/1.1 100 Continue\r\nx-long: ".ljust(self.server.drips, b"x")[: self.server.drips]:
            self.wfile.write(bytes([byte]))
            time.sleep(0.1)
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("location", "https://127.0.0.1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _resolve(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    families = {one: socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses}
    found = [(families[one], socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]
    resolve: Callable[..., object] = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: found if host[-1].isalpha() else resolve(host, *rest, **more)
    )


def _never(*_: object) -> None:
    raise AssertionError("a connection")


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(pem)
