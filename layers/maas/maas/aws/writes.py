"""What a transaction writes: whole rows, deletions, additions; and how DynamoDB is told."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from maas.aws.attributes import pack, unpack

Item = dict[str, Any]
Key = tuple[str, str]


class Put(NamedTuple):
    """Replace the item, on condition that the stored one has this revision (None: that there is none)."""

    key: Key
    item: Item
    revision: int | None


class Delete(NamedTuple):
    """Delete the item at `key`, if there is one."""

    key: Key


class Add(NamedTuple):
    """Add to numbers of the item at `key`, created if absent, and set other attributes of it."""

    key: Key
    amounts: Mapping[str, int]
    others: Mapping[str, Any]


Write = Put | Delete | Add


def transaction_item(table: str, write: Write) -> dict[str, Any]:
    """As TransactWriteItems takes it."""
    if isinstance(write, Delete):
        return {"Delete": {"TableName": table, "Key": packed_key(write.key)}}
    if isinstance(write, Add):
        return {"Update": {"TableName": table, "Key": packed_key(write.key)} | _addition(write)}
    return {"Put": {"TableName": table, "Item": packed(write)} | condition(write)}


def packed_key(key: Key) -> Item:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def packed(put: Put) -> Item:
    return packed_key(put.key) | {name: pack(value) for name, value in put.item.items()}


def unpacked(item: Item) -> Item:
    return {name: unpack(value) for name, value in item.items() if name not in ("pk", "sk")}


def condition(put: Put) -> dict[str, Any]:
    if put.revision is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"N": str(put.revision)}},
    }


def _addition(add: Add) -> dict[str, Any]:
    given = [*add.amounts.items(), *add.others.items()]  # placeholders by number: a name may have a "-"
    terms = [f"#{index} :{index}" for index in range(len(add.amounts))]
    others = [f"#{index} = :{index}" for index in range(len(add.amounts), len(given))]
    return {
        "UpdateExpression": f"ADD {', '.join(terms)} SET {', '.join(others)}",
        "ExpressionAttributeNames": {f"#{index}": name for index, (name, _) in enumerate(given)},
        "ExpressionAttributeValues": {f":{index}": pack(value) for index, (_, value) in enumerate(given)},
    }
