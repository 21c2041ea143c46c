"""IAM: condition keys and actions that the roles of template.yaml depend on.

- `aws:SecureTransport`: the engine speaks HTTP, the bucket's policy demands TLS. Every call counts as TLS.
- SQS authorizes a batch call as the call for one message:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
- S3 authorizes the deletion of many versions as that of one: s3:DeleteObjectVersion, by key.
- `dynamodb:LeadingKeys` holds the partition keys of a request, of all items of a batch or transaction:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_actions, iam_evaluator

_BATCHES = {f"sqs:{one}Batch": f"sqs:{one}" for one in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")}
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

    context = iam_actions.dynamodb_service_context

    def context_with_keys(body: bytes) -> dict[str, Any]:
        keys = leading_keys(json.loads(body or b"{}"))
        return context(body) | ({"dynamodb:LeadingKeys": keys} if keys else {})

    iam_actions.extract_iam_action, iam_actions.dynamodb_service_context = action_for_one, context_with_keys


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
