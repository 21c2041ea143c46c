"""Requests signed with the caller's AWS credentials, for an API that knows people by IAM and not by key."""

import re
from collections.abc import Generator
from typing import Any, NamedTuple

import httpx

from maas_client.errors import MaasError

_HOST = re.compile(r"\.(execute-api|lambda-url)\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$")


class AwsHost(NamedTuple):
    service: str
    region: str


def aws_host(host: str) -> AwsHost | None:
    """Which service and region a host of API Gateway or of a Function URL belongs to; None for any other host."""
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
        self._credentials: Any = Session().get_credentials()
        if self._credentials is None:
            raise MaasError("no AWS credentials found: run `aws configure` or `aws sso login`, or set MAAS_API_KEY")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        # Only Host and what signing adds are signed, so that proxies may change any other header.
        signed = AWSRequest(method=request.method, url=str(request.url), data=request.content)
        SigV4Auth(self._credentials.get_frozen_credentials(), self._host.service, self._host.region).add_auth(signed)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in signed.headers:
                request.headers[name] = signed.headers[name]
        yield request
