"""Fixtures: the registry on moto and on DynamoDB Local, with boto3 and with signed requests."""

import os
from datetime import UTC, datetime

import pytest

from conftest import skip_or_fail
from maas.access.keys_table import Keys
from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.aws.signed import SignedDynamoDb
from maas.metrics.metrics import Metrics
from maas.registry import Registry
from support.aws.engine import create_table


@pytest.fixture(params=["moto", "dynamodb-local"])
def endpoint_url(request: pytest.FixtureRequest) -> str:
    if request.param == "moto":
        return request.getfixturevalue("moto_url")
    url = os.environ.get("DYNAMODB_LOCAL_URL")
    if not url:
        skip_or_fail("DYNAMODB_LOCAL_URL is not set: start AWS's DynamoDB Local and name its address there")
    return url


@pytest.fixture
def table_name(endpoint_url: str) -> str:
    return create_table(endpoint_url)


@pytest.fixture
def table(endpoint_url: str, table_name: str) -> Table:
    return Table(boto3_call(client("dynamodb", "us-east-1", endpoint_url)), table_name)


@pytest.fixture
def signed_table(endpoint_url: str, table_name: str) -> Table:
    return Table(SignedDynamoDb("us-east-1", endpoint_url), table_name)


@pytest.fixture
def registry(table: Table) -> Registry:
    return Registry(table)


@pytest.fixture
def keys(table: Table) -> Keys:
    return Keys(table)


@pytest.fixture
def reads(signed_table: Table) -> Keys:
    """Keys read with signed requests, as in the authorizer."""
    return Keys(signed_table)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def metrics(table: Table) -> Metrics:
    return Metrics(table)
