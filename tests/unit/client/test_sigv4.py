import hashlib
import hmac
import sys
from urllib.parse import urlsplit

import httpx
import pytest

from maas_client import MaasClient
from maas_client.errors import MaasError
from maas_client.sigv4 import AwsHost, SigV4, aws_host


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.delenv("MAAS_API_KEY", raising=False)


def signed(request: httpx.Request, host: AwsHost) -> httpx.Request:
    return next(SigV4(host).auth_flow(request))


def expected_signature(request: httpx.Request, service: str, region: str) -> str:
    """By https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    parts = urlsplit(str(request.url))
    at, token = request.headers["x-amz-date"], request.headers["x-amz-security-token"]
    canonical = (
        f"{request.method}\n{parts.path}\n{parts.query}\n"
        f"host:{parts.netloc}\nx-amz-date:{at}\nx-amz-security-token:{token}\n\n"
        f"host;x-amz-date;x-amz-security-token\n{hashlib.sha256(request.content).hexdigest()}"
    )
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4secret"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("abc123.execute-api.eu-west-1.amazonaws.com", AwsHost("execute-api", "eu-west-1")),
        ("abc123.execute-api.cn-north-1.amazonaws.com.cn", AwsHost("execute-api", "cn-north-1")),
        ("abc123.lambda-url.us-east-2.on.aws", AwsHost("lambda", "us-east-2")),
        ("127.0.0.1", None),
        ("maas.example.com", None),
        ("execute-api.eu-west-1.amazonaws.com.example.com", None),
    ],
)
def test_aws_hosts(host: str, expected: AwsHost | None) -> None:
    assert aws_host(host) == expected


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signature_as_documented(method: str) -> None:
    url = "https://abc.execute-api.eu-west-1.amazonaws.com/api/v1/models?limit=100&page_token=a%3D"
    request = httpx.Request(method, url, content=b'{"name":"m"}' if method == "POST" else b"")
    authorization = signed(request, AwsHost("execute-api", "eu-west-1")).headers["authorization"]
    assert "Credential=AKIDEXAMPLE/" in authorization
    assert authorization.endswith(f"Signature={expected_signature(request, 'execute-api', 'eu-west-1')}")


def test_key_needs_no_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    url = "https://abc.lambda-url.eu-west-1.on.aws"
    MaasClient(url, api_key="key").close()
    with pytest.raises(MaasError, match="pip install botocore"):
        MaasClient(url)


def test_missing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(MaasError, match="aws sso login"):
        MaasClient("https://abc.lambda-url.eu-west-1.on.aws")


def test_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(MaasError, match=r"profile \(nowhere\) could not be found.*set AWS_PROFILE"):
        MaasClient("https://abc.lambda-url.eu-west-1.on.aws")
