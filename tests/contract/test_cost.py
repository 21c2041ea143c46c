"""Consumed capacity: no operation scans, and none costs more with more versions."""

import pytest

from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.registry import Registry
from support.aws.metering import Cost, Meter, add_ready, operations

# Reads and writes of each operation, for any number of versions. A transaction counts as one write.
READ, READ_TWO, RANGE, WRITE = ["GetItem"], ["BatchGetItem"], ["Query"], ["TransactWriteItems"]
EXPECTED = {
    "create a version": [*READ, *WRITE],
    "show a model": READ,
    "show a version": [*READ, *READ],
    "list 10 models": RANGE,
    "list 10 versions": RANGE,
    "list 10 history entries": [*READ, *RANGE],
    "change tags of a model": [*READ, *WRITE],
    "change tags of a version": [*READ, *READ, *WRITE],
    "set an alias": [*READ, *READ, *WRITE],
    "move an alias": [*READ, *READ, *WRITE],
    "share an alias": [*READ, *READ, *READ, *WRITE],
    "resolve a shared alias": [*READ, *READ_TWO],
    "roll an alias back": [*READ, *READ, *WRITE],
    "resolve an alias": [*READ, *READ],
    "resolve a number": READ_TWO,
    "resolve nothing": [*READ, *READ],
    "what was live": [*READ, *RANGE],
    "delete an alias": [*READ, *WRITE],
    "delete a version": [*READ, *READ, *RANGE, *WRITE],
    "restore a version": [*READ, *READ, *WRITE],
    "delete a model": [*READ, *WRITE],
    "restore a model": [*READ, *WRITE],
}


@pytest.fixture
def meter(endpoint_url: str) -> Meter:
    return Meter(boto3_call(client("dynamodb", "us-east-1", endpoint_url)))


def costs(registry: Registry, meter: Meter) -> dict[str, Cost]:
    found = {}
    for name, operation in operations(registry).items():
        with meter.measured() as cost:
            operation()
        found[name] = cost
    return found


@pytest.mark.full
def test_capacity_is_independent_of_version_count(meter: Meter, table_name: str) -> None:
    registry = Registry(Table(meter, table_name))
    registry.models.create("m", "", {}, "ann")
    while registry.models.get("m").last_version < 10:
        add_ready(registry)
    few = costs(registry, meter)
    while registry.models.get("m").last_version < 60:
        add_ready(registry)
    many = costs(registry, meter)
    assert {name: cost.operations for name, cost in few.items()} == EXPECTED
    assert {name: cost.operations for name, cost in many.items()} == EXPECTED
    for name, cost in many.items():
        assert cost.units <= few[name].units + 1, name  # a longer number may need one more unit
