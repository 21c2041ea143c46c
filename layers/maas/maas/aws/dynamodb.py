"""The table: consistent reads by key, range queries of a partition, and transactions conditional on revisions.

`Call` runs one DynamoDB operation by its API name. There are two: `boto3_call`, and `maas.aws.signed.SignedDynamoDb`
for functions whose cold start must not import boto3.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from maas.aws.attributes import pack, unpack
from maas.aws.writes import Item, Key, Put, Write, condition, packed, packed_key, transaction_item, unpacked
from maas.errors import ServiceUnavailable

Call = Callable[[str, dict[str, Any]], dict[str, Any]]

# Cancellation reasons of a transaction.
_LOST_RACES = {"ConditionalCheckFailed", "TransactionConflict"}
_THROTTLED = {"ProvisionedThroughputExceeded", "ThrottlingError"}
_UNAVAILABLE = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
}


class WriteConflict(Exception):
    """Another writer came first; nothing was written."""


class CallFailed(Exception):
    """An error returned by DynamoDB."""

    def __init__(self, code: str, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code, self.reasons = code, reasons


_BATCH = 25  # limit of BatchWriteItem
_READ_BATCH = 100  # limit of BatchGetItem


class Table:
    def __init__(self, call: Call, name: str) -> None:
        self._call_service, self._name = call, name

    def get(self, key: Key) -> Item | None:
        """The item, from a consistent read, or None."""
        answer = self._call("GetItem", self._named({"Key": packed_key(key), "ConsistentRead": True}))
        return unpacked(answer["Item"]) if answer.get("Item") else None

    def query(
        self, pk: str, prefix: str, *, limit: int, after: str | None = None, newest_first: bool = False
    ) -> tuple[list[Item], str | None]:
        """Up to `limit` items of a partition whose sort key has the prefix; the sort key to continue after, or None."""
        request = _range(pk, prefix) | {"Limit": limit, "ScanIndexForward": not newest_first}
        if after:
            request["ExclusiveStartKey"] = packed_key((pk, after))
        answer = self._call("Query", self._named(request))
        last = answer.get("LastEvaluatedKey")
        return [unpacked(item) for item in answer["Items"]], last["sk"]["S"] if last else None

    def items(self, pk: str, prefix: str, *, page: int) -> Iterator[Item]:
        """All items of a partition whose sort key has the prefix, in its order, read `page` at a time."""
        after: str | None = None
        while True:
            items, after = self.query(pk, prefix, limit=page, after=after)
            yield from items
            if after is None:
                return

    def get_many(self, keys: Sequence[Key]) -> list[Item | None]:
        """Items in the order of their keys, None where there is none; consistent reads, up to 100 per call."""
        found: dict[Key, Item] = {}
        for start in range(0, len(keys), _READ_BATCH):
            some = keys[start : start + _READ_BATCH]
            wanted = {"Keys": [packed_key(key) for key in some], "ConsistentRead": True}
            answer = self._call("BatchGetItem", {"RequestItems": {self._name: wanted}})
            for item in answer["Responses"].get(self._name, []):
                found[item["pk"]["S"], item["sk"]["S"]] = unpacked(item)
            for left in answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", []):
                key = left["pk"]["S"], left["sk"]["S"]
                if item := self.get(key):
                    found[key] = item
        return [found.get(key) for key in keys]

    def keys(self, pk: str, prefix: str, *, limit: int, after: str | None = None) -> list[Key]:
        """The first keys of a partition whose sort key has the prefix, or the first of these after the sort key."""
        request = _range(pk, prefix) | {"ProjectionExpression": "pk, sk", "Limit": limit}
        if after:
            request["ExclusiveStartKey"] = packed_key((pk, after))
        items = self._call("Query", self._named(request))["Items"]
        return [(item["pk"]["S"], item["sk"]["S"]) for item in items]

    def last(self, pk: str, prefix: str, up_to: str) -> Item | None:
        """The item with the greatest sort key between `prefix` and `prefix + up_to`, or None."""
        request = _range(pk, prefix, prefix + up_to) | {"Limit": 1, "ScanIndexForward": False}
        items = self._call("Query", self._named(request))["Items"]
        return unpacked(items[0]) if items else None

    def between(self, pk: str, start: str, end: str) -> Iterator[tuple[str, Item]]:
        """Sort keys and items of a partition from `start` to `end`, both included; eventually consistent, for half."""
        request = _range(pk, start, end) | {"ConsistentRead": False}
        while True:
            answer = self._call("Query", self._named(request))
            yield from ((item["sk"]["S"], unpacked(item)) for item in answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def write(self, writes: Sequence[Write], token: str | None = None) -> None:
        """All or nothing. A repeat with the same `token`, within ten minutes, changes nothing.

        Raises WriteConflict if a condition fails, ServiceUnavailable.
        """
        items = [transaction_item(self._name, write) for write in writes]
        request = {"TransactItems": items} | ({"ClientRequestToken": token} if token else {})
        try:
            self._call_service("TransactWriteItems", request)
        except CallFailed as failure:
            if _LOST_RACES & set(failure.reasons) or failure.code == "TransactionConflictException":
                raise WriteConflict from failure
            if _THROTTLED & set(failure.reasons):
                raise ServiceUnavailable("DynamoDB") from failure
            raise _translated(failure) from failure

    def put(self, put: Put) -> None:
        """As `write` of this alone, for half the cost.

        Raises WriteConflict, also where a lost answer hides that the item was written: read it again.
        """
        try:
            self._call_service("PutItem", self._named({"Item": packed(put)} | condition(put)))
        except CallFailed as failure:
            if failure.code in ("ConditionalCheckFailedException", "TransactionConflictException"):
                raise WriteConflict from failure
            raise _translated(failure) from failure

    def advance(self, key: Key, name: str, time: str, before: str) -> None:
        """Set the attribute `name` to `time` if it is null or less than `before`; nothing happens without an item."""
        request = {
            "Key": packed_key(key),
            "UpdateExpression": "SET #name = :time",
            "ConditionExpression": "attribute_exists(pk) AND (NOT attribute_type(#name, :text) OR #name < :before)",
            "ExpressionAttributeNames": {"#name": name},
            "ExpressionAttributeValues": {":time": pack(time), ":before": pack(before), ":text": pack("S")},
        }
        try:
            self._call_service("UpdateItem", self._named(request))
        except CallFailed as failure:
            if failure.code != "ConditionalCheckFailedException":
                raise _translated(failure) from failure

    def keep(self, key: Key, expires_at: int) -> None:
        """Let the item expire then and give it its next revision; nothing happens without an item."""
        request = {
            "Key": packed_key(key),
            "UpdateExpression": "SET expires_at = :expires_at ADD revision :one",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":expires_at": pack(expires_at), ":one": pack(1)},
        }
        try:
            self._call_service("UpdateItem", self._named(request))
        except CallFailed as failure:
            if failure.code != "ConditionalCheckFailedException":
                raise _translated(failure) from failure

    def add(self, key: Key, amount: int, expires_at: int) -> int:
        """Add to the counter at `key`, created if absent, expiring after `expires_at`; returns the new value."""
        request = {
            "Key": packed_key(key),
            "UpdateExpression": "ADD amount :amount SET expires_at = :expires_at",
            "ExpressionAttributeValues": {":amount": pack(amount), ":expires_at": pack(expires_at)},
            "ReturnValues": "UPDATED_NEW",
        }
        value: int = unpack(self._call("UpdateItem", self._named(request))["Attributes"]["amount"])
        return value

    def delete(self, keys: Sequence[Key]) -> None:
        """Delete in batches, without a transaction; absent items are no error."""
        self._write_batches([{"DeleteRequest": {"Key": packed_key(key)}} for key in keys])

    def replace(self, items: Mapping[Key, Item]) -> None:
        """Write items whether or not they exist, in batches, without a transaction."""
        self._write_batches([{"PutRequest": {"Item": packed(Put(key, item, None))}} for key, item in items.items()])

    def _write_batches(self, requests: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH):
            left = list(requests[start : start + _BATCH])
            for attempt in range(8):
                if not left:
                    break
                time.sleep(0.05 * 2**attempt if attempt else 0)
                answer = self._call("BatchWriteItem", {"RequestItems": {self._name: left}})
                left = answer.get("UnprocessedItems", {}).get(self._name, [])
            if left:
                raise ServiceUnavailable("DynamoDB")

    def _named(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"TableName": self._name} | request

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._call_service(operation, request)
        except CallFailed as failure:
            raise _translated(failure) from failure


def _translated(failure: CallFailed) -> Exception:
    return ServiceUnavailable("DynamoDB", str(failure)) if failure.code in _UNAVAILABLE else failure


def _range(pk: str, prefix: str, to: str | None = None) -> dict[str, Any]:
    """A consistent query of the sort keys from `prefix` to `to`, or of all with the prefix."""
    if not prefix:  # DynamoDB allows no empty text in a condition
        condition, values = "pk = :pk", {}
    else:  # not begins_with: DynamoDB Local then reads and sorts every row with the prefix for a backward query
        condition = "pk = :pk AND sk BETWEEN :from AND :to"
        values = {":from": {"S": prefix}, ":to": {"S": to or f"{prefix}\uffff"}}
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {":pk": {"S": pk}} | values,
        "ConsistentRead": True,
    }


def boto3_call(client: Any) -> Call:
    """A `Call` that uses a boto3 DynamoDB client, with its retries and idempotency tokens."""
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
            return answer
        except ClientError as error:
            reasons = [reason.get("Code", "") for reason in error.response.get("CancellationReasons", [])]
            raise CallFailed(
                error.response["Error"]["Code"], error.response["Error"].get("Message", ""), reasons
            ) from error
        except BotoCoreError as error:
            raise ServiceUnavailable("DynamoDB") from error

    return call
