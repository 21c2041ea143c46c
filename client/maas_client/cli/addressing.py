"""The server and the key in shell commands that a user copies."""

from shlex import quote
from urllib.parse import urlsplit

from maas_client.settings import DEFAULT_URL
from maas_client.sigv4 import aws_host


def server_option(url: str) -> str:
    """An option of `maas`, with a blank before it."""
    return "" if url == DEFAULT_URL else f" --url {quote(url)}"


def authorization(url: str, key: bool) -> str:
    """Options of curl."""
    if key:
        return '-H "x-api-key: $MAAS_API_KEY" '
    host = aws_host(urlsplit(url).hostname or "")
    if host is None:
        return ""
    return (
        f'--aws-sigv4 aws:amz:{host.region}:{host.service} --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
        '-H "x-amz-security-token: $AWS_SESSION_TOKEN" '
    )
