"""IAM: condition keys and actions that the roles of template.yaml depend on.

- `aws:SecureTransport`: the engine speaks HTTP, the bucket's policy demands TLS. Every call counts as TLS.
- SQS authorizes a batch call as the call for one message:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
- S3 authorizes the deletion of many versions as that of one: s3:DeleteObjectVersion, by key.
- `dynamodb:LeadingKeys` holds the partition keys of a request, of all items of a batch:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
- An item of a transaction is authorized as the action for one item, with its own key:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_actions, iam_evaluator

_BATCHES = {f"sqs:{one}Batch": f"sqs:{one}" for one in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")}
_KEYS = "dynamodb:LeadingKeys"
_OF_ACTIONS = "keys of actions"  # in the context of a request, beside the keys of conditions
_EQUALS = re.compile(r"#?\w+\s*=\s*(:\w+)")


def mend() -> None:
    resolve = iam_evaluator._resolve_condition_key
    iam_evaluator._resolve_condition_key = lambda key, context: (
        "true" if key.lower() == "aws:securetransport" else resolve(key, context)
    )
    action = iam_actions.extract_iam_action

    def action_for_one(service: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
        found = action(service, method, path, headers, body, query)
        if found == "s3:DeleteObject" and "delete" in query and b"<VersionId>" in (body or b""):
            return "s3:DeleteObjectVersion"
        return _BATCHES.get(found, found)

    iam_actions.extract_iam_action = action_for_one
    _know_leading_keys()


def _know_leading_keys() -> None:
    context, enforce = iam_actions.dynamodb_service_context, iam_evaluator.enforce

    def context_with_keys(body: bytes) -> dict[str, Any]:
        request = json.loads(body or b"{}")
        keys = leading_keys(request)
        return context(body) | ({_KEYS: keys} if keys else {}) | {_OF_ACTIONS: keys_of_actions(request)}

    def enforce_by_item(access_key: str, action: str, *rest: Any, **options: Any) -> Any:
        known = options.get("service_context") or {}
        if keys := known.get(_OF_ACTIONS, {}).get(action):
            options["service_context"] = known | {_KEYS: keys}
        return enforce(access_key, action, *rest, **options)

    iam_actions.dynamodb_service_context, iam_evaluator.enforce = context_with_keys, enforce_by_item


def keys_of_actions(request: dict[str, Any]) -> dict[str, list[str]]:
    """The partition keys in a transaction, by the action that its items are authorized as."""
    found: dict[str, list[str]] = {}
    for item in request.get("TransactItems", []):
        for kind, operation in item.items():
            action = iam_actions._DYNAMODB_TRANSACT_ITEM_ACTIONS[kind]
            found.setdefault(action, []).extend(leading_keys(operation))
    return found


def leading_keys(request: dict[str, Any]) -> list[str]:
    found = set(_partition_keys(request))
    if condition := request.get("KeyConditionExpression"):
        name = _EQUALS.search(condition)
        if name:
            found.add(request["ExpressionAttributeValues"][name[1]]["S"])
    return sorted(found)


def _partition_keys(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _partition_keys(item)
    elif isinstance(value, dict):
        key = value.get("pk")
        if isinstance(key, dict) and "S" in key:
            yield key["S"]
        for name, item in value.items():
            if name != "pk":
                yield from _partition_keys(item)
