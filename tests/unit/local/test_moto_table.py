"""Transactions of moto's DynamoDB: all or nothing, at a cost of the rows that they change."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import Item

from maas_local.engine import _in_memory, moto_server

TABLE = "rows"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    server = moto_server("127.0.0.1")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{server.server_port}", region_name="us-east-1")
    server.shutdown()
    server.server_close()


@pytest.fixture
def dynamodb(client: Any) -> Iterator[Any]:
    """With an empty table."""
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    yield client
    client.delete_table(TableName=TABLE)


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": name}}


def put(name: str, value: int) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": key(name) | {"value": {"N": str(value)}}}}


def add(name: str) -> dict[str, Any]:
    update = {"UpdateExpression": "ADD #v :one", "ExpressionAttributeNames": {"#v": "value"}}
    return {
        "Update": {"TableName": TABLE, "Key": key(name), "ExpressionAttributeValues": {":one": {"N": "1"}}} | update
    }


def delete(name: str) -> dict[str, Any]:
    return {"Delete": {"TableName": TABLE, "Key": key(name)}}


def fail() -> dict[str, Any]:
    check = {"TableName": TABLE, "Key": key("absent"), "ConditionExpression": "attribute_exists(pk)"}
    return {"ConditionCheck": check}


def rows(dynamodb: Any) -> dict[str, int]:
    found = dynamodb.scan(TableName=TABLE)["Items"]
    return {row["sk"]["S"]: int(row["value"]["N"]) for row in found}


CHANGES = [put("new", 1), put("kept", 2), add("counted"), delete("other")]


@pytest.fixture
def before(dynamodb: Any) -> dict[str, int]:
    dynamodb.transact_write_items(TransactItems=[put("kept", 1), put("counted", 5), put("other", 7), delete("new")])
    return rows(dynamodb)


def test_transaction_makes_all_changes(dynamodb: Any, before: dict[str, int]) -> None:
    dynamodb.transact_write_items(TransactItems=CHANGES)
    assert rows(dynamodb) == {"new": 1, "kept": 2, "counted": 6}


def test_failed_transaction_changes_nothing(dynamodb: Any, before: dict[str, int]) -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(TransactItems=[*CHANGES, fail()])
    assert rows(dynamodb) == before == {"kept": 1, "counted": 5, "other": 7}


@pytest.mark.parametrize("failing", [[], [fail()]])
def test_only_changed_rows_are_copied(
    dynamodb: Any, before: dict[str, int], failing: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for batch in range(10):
        dynamodb.transact_write_items(TransactItems=[put(f"row {batch} {number}", 0) for number in range(20)])
    copied: Counter[str] = Counter()
    copy_of = Item.__deepcopy__

    def counted(self: Item, memo: dict[int, Any]) -> Item:
        copied[self.range_key.value] += 1
        return copy_of(self, memo)

    monkeypatch.setattr(Item, "__deepcopy__", counted)
    with suppress(ClientError):
        dynamodb.transact_write_items(TransactItems=[*CHANGES, *failing])
    assert copied
    assert set(copied) <= {"new", "kept", "counted", "other"}


def test_full_disk_is_named(dynamodb: Any) -> None:
    database = _in_memory().rows._database
    database.execute("VACUUM")  # other tests of this process have left free pages
    database.execute("PRAGMA max_page_count = 1")  # no more than there are
    try:
        with pytest.raises(ClientError, match=r"InternalServerError.*: database or disk is full"):
            dynamodb.put_item(TableName=TABLE, Item=key("large") | {"text": {"S": "x" * 300_000}})
    finally:
        database.execute("PRAGMA max_page_count = 1000000")
    dynamodb.put_item(TableName=TABLE, Item=key("after") | {"value": {"N": "1"}})
