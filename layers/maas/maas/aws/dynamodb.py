"""The table: consistent reads by key, ranges of one partition, and all-or-nothing writes guarded by revisions.

`Call` is one DynamoDB operation by its API name. boto3 is one (`boto3_call`); `maas.aws.signed` is the other, for the
function whose cold start cannot pay for boto3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from maas.aws.attributes import pack, unpack
from maas.errors import ServiceUnavailable

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Item = dict[str, Any]
Key = tuple[str, str]

_LOST_RACES = {"ConditionalCheckFailed", "TransactionConflict"}
_UNAVAILABLE = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
}


class WriteConflict(Exception):
    """Somebody else wrote first; nothing of this write happened."""


class CallFailed(Exception):
    """DynamoDB's own answer, by its error code."""

    def __init__(self, code: str, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.reasons = code, reasons


@dataclass(frozen=True, slots=True)
class Put:
    """`item` whole, if the stored one still has the revision that was read (None: if there is none)."""

    key: Key
    item: Item
    revision: int | None


class Table:
    def __init__(self, call: Call, name: str) -> None:
        self._call_service, self._name = call, name

    def get(self, key: Key) -> Item | None:
        """The item as last written (a consistent read), or None."""
        answer = self._call("GetItem", {"Key": _packed_key(key), "ConsistentRead": True})
        return _unpacked(answer["Item"]) if answer.get("Item") else None

    def query(
        self, pk: str, prefix: str, *, limit: int, after: str | None = None, newest_first: bool = False
    ) -> tuple[list[Item], str | None]:
        """Up to `limit` items of a partition whose sort key has the prefix, and the sort key to go on after, if any."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
            "Limit": limit,
            "ScanIndexForward": not newest_first,
        }
        if not prefix:
            request["KeyConditionExpression"] = "pk = :pk"
            del request["ExpressionAttributeValues"][":prefix"]
        if after:
            request["ExclusiveStartKey"] = _packed_key((pk, after))
        answer = self._call("Query", request)
        last = answer.get("LastEvaluatedKey")
        return [_unpacked(item) for item in answer["Items"]], last["sk"]["S"] if last else None

    def write(self, puts: Sequence[Put]) -> None:
        """All of them or none. Raises WriteConflict if any was changed since it was read."""
        items = [{"Put": {"TableName": self._name, "Item": _packed(put)} | _condition(put)} for put in puts]
        try:
            self._call_service("TransactWriteItems", {"TransactItems": items})
        except CallFailed as failure:
            if _LOST_RACES & set(failure.reasons) or failure.code == "TransactionConflictException":
                raise WriteConflict from failure
            raise _translated(failure) from failure

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._call_service(operation, {"TableName": self._name} | request)
        except CallFailed as failure:
            raise _translated(failure) from failure


def _translated(failure: CallFailed) -> Exception:
    return ServiceUnavailable("DynamoDB") if failure.code in _UNAVAILABLE else failure


def _packed_key(key: Key) -> Item:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _packed(put: Put) -> Item:
    return _packed_key(put.key) | {name: pack(value) for name, value in put.item.items()}


def _unpacked(item: Item) -> Item:
    return {name: unpack(value) for name, value in item.items() if name not in ("pk", "sk")}


def _condition(put: Put) -> dict[str, Any]:
    if put.revision is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"N": str(put.revision)}},
    }


def boto3_call(client: Any) -> Call:
    """Operations through a boto3 DynamoDB client, with its retries and its idempotency tokens."""
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
            return answer
        except ClientError as error:
            reasons = [reason.get("Code", "") for reason in error.response.get("CancellationReasons", [])]
            raise CallFailed(error.response["Error"]["Code"], str(error), reasons) from error
        except BotoCoreError as error:
            raise ServiceUnavailable("DynamoDB") from error

    return call
