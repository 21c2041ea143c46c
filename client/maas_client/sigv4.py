"""Signs requests with the caller's AWS credentials, for APIs with IAM authorization."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from maas_client.errors import MaasError

_HOST = re.compile(r"\.(execute-api|lambda-url)\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$")


LOG_IN = "run `aws configure` or `aws sso login`, set AWS_PROFILE, or set MAAS_API_KEY"


class AwsHost(NamedTuple):
    service: str
    region: str


def aws_host(host: str) -> AwsHost | None:
    """Service and region of a host of API Gateway or a Function URL; None for any other host."""
    found = _HOST.search(host)
    if found is None:
        return None
    return AwsHost("lambda" if found[1] == "lambda-url" else found[1], found[2])


class SigV4(httpx.Auth):
    """Raises MaasError when botocore is not installed or finds no credentials."""

    requires_request_body = True

    def __init__(self, host: AwsHost) -> None:
        try:
            from botocore.session import Session
        except ImportError:
            raise MaasError(
                "this API takes requests signed by AWS credentials, and signing needs botocore: "
                "`pip install botocore`, or set MAAS_API_KEY if you have a key"
            ) from None
        self._host = host
        with _named():
            self._credentials: Any = Session().get_credentials()
        if self._credentials is None:
            raise MaasError(f"no AWS credentials found: {LOG_IN}")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        with _named():
            credentials = self._credentials.get_frozen_credentials()
        # Signs Host and the headers of the signature only: proxies may change any other.
        signed = AWSRequest(method=request.method, url=str(request.url), data=request.content)
        SigV4Auth(credentials, self._host.service, self._host.region).add_auth(signed)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in signed.headers:
                request.headers[name] = signed.headers[name]
        yield request


@contextmanager
def _named() -> Iterator[None]:
    """Errors of botocore, as for an unknown AWS_PROFILE or an expired login, become MaasError."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        raise MaasError(f"the AWS credentials cannot be used ({error}): {LOG_IN}") from error
