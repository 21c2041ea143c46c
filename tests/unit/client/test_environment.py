"""Proxies, certificates, URL and key of the environment: what is wrong is named; and where the key goes."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maas_client import CannotConnect, InvalidInput, InvalidResponse, NotFound
from support.server.clients import client_of
from support.server.server import ContractServer, contract_server
from support.server.tls import write_certificate

AWAY = "https://maas.example"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "MAAS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def listed(kind: str, url: str | None, **settings: Any) -> Any:
    with client_of(kind, url, attempts=1, **settings) as maas:
        return maas.models.list()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY is 'http://': expected http://HOST:PORT"),
        ("HTTPS_PROXY", "http://proxy:port", "HTTPS_PROXY is"),
        ("HTTPS_PROXY", "ftp://proxy:21", "HTTPS_PROXY is"),
        ("ALL_PROXY", "http://user:secret@proxy:port", "ALL_PROXY is 'http://…@proxy:port'"),
        ("ALL_PROXY", "socks5://127.0.0.1:9", r"ALL_PROXY is a SOCKS proxy, which needs `pip install httpx\[socks\]`"),
        ("HTTPS_PROXY", "127.0.0.1:9", "cannot reach https://maas.example .*, through the proxy of HTTPS_PROXY"),
        ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE is '/nowhere.pem': expected certificates in PEM"),
        ("SSL_CERT_FILE", __file__, "SSL_CERT_FILE is .*: expected certificates in PEM"),
        ("SSL_CERT_DIR", "/nowhere", "SSL_CERT_DIR is '/nowhere': expected a folder"),
    ],
)
def test_wrong_variables_are_named(
    kind: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises((InvalidInput, CannotConnect), match=message):
        listed(kind, AWAY)


def test_proxy_is_used_but_for_no_proxy_and_this_machine(
    server: ContractServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    with pytest.raises(NotFound):
        listed(kind, "http://maas.example", api_key="secret")
    assert server.paths() == ["http://maas.example/api/v1/models?limit=100"]
    assert listed(kind, server.url) == []
    assert server.paths()[1:] == ["/api/v1/models?limit=100"]
    monkeypatch.setenv("NO_PROXY", "maas.invalid")
    with pytest.raises(CannotConnect) as caught:
        listed(kind, "http://maas.invalid")
    assert "proxy" not in str(caught.value)
    assert len(server.seen) == 2


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[ContractServer, Path]]:
    """A server with a certificate of its own, and the file of that."""
    path = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with contract_server() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.url = f"https://localhost:{server.server_address[1]}"
        yield server, path


def test_certificates_of_the_environment(
    tls: tuple[ContractServer, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, path = tls
    with pytest.raises(CannotConnect, match=r"CERTIFICATE_VERIFY_FAILED.*: set SSL_CERT_FILE to the certificates"):
        listed(kind, server.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert listed(kind, server.url) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://maas.example/?stage=prod",
        "https://maas.example?",
        "https://maas.example/#top",
        "https://user:secret@maas.example",
        "https://maas.example:port",
        "https://[::1",
        "https://maas .example",
        "https://",
        "ftp://maas.example",
    ],
)
def test_wrong_urls_name_their_variable(kind: str, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(InvalidInput, match=r"url is .*: expected one like http") as caught:
        listed(kind, url)
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("MAAS_URL", url)
    with pytest.raises(InvalidInput, match=r"MAAS_URL is "):
        listed(kind, None)


@pytest.mark.parametrize("key", ["maas_1 2", "maas_1\n", "maas_ü", "\t"])
def test_wrong_keys_name_their_variable(kind: str, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with pytest.raises(InvalidInput, match="api_key contains a blank"):
        listed(kind, AWAY, api_key=key)
    monkeypatch.setenv("MAAS_API_KEY", key)
    with pytest.raises(InvalidInput, match="MAAS_API_KEY contains a blank"):
        listed(kind, AWAY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_do_not_carry_the_key(server: ContractServer, kind: str, status: int) -> None:
    with contract_server() as other, client_of(kind, server.url, api_key="secret") as maas:
        server.trouble = [("", (status, {"location": f"{other.url}/api/v1/models"}, b"")) for _ in range(2)]
        with pytest.raises(InvalidResponse, match=f"redirects to {other.url}.*set MAAS_URL"):
            maas.models.list()
        with pytest.raises(InvalidResponse, match="redirects to"):
            maas.infer("echo", {"x": [[1, 2]]}, timeout_seconds=60)
        assert other.seen == []
