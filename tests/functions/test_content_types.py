"""Bodies without a content type are JSON on every route."""

import json

import pytest

from conftest import LoadFunction
from support import wire
from support.aws.engine import Cloud

ADMIN = {"lambda": {"actor": "key:0123456789abcdef", "name": "tests", "scopes": "admin"}}


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}])
def test_management_reads_json_without_a_content_type(
    cloud: Cloud, load_function: LoadFunction, headers: dict[str, str]
) -> None:
    event = wire.event("/api/v1/models", b'{"name": "digits"}', headers)
    event["requestContext"]["authorizer"] = ADMIN
    answer = load_function("ManagementFunction").lambda_handler(event, wire.CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])["name"]) == (201, "digits")
