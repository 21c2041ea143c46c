"""The functions' policies of template.yaml, and whether they allow a call.

As IAM does it, as far as the template uses it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from maas_local.resources import Resources
from support.aws.engine import TEMPLATE

Statement = Mapping[str, Any]
LEADING_KEYS = "dynamodb:LeadingKeys"


@dataclass(frozen=True)
class Call:
    """An action on a resource. `context` has the condition keys that the service sets."""

    action: str
    resource: str
    context: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """One action on one resource pattern of a statement: the smallest unit of a policy."""

    action: str
    resource: str


@cache
def roles(parameters: tuple[tuple[str, str], ...] = ()) -> dict[str, list[Statement]]:
    """The statements of each function's role, by the function's name."""
    resources = Resources.load(TEMPLATE, {"AwsEndpointUrl": "http://local", **dict(parameters)})
    documents = {
        name: [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
        for name, role in resources.of_type("IAM::Role")
        if "Policies" in role
    }
    return {f"{name.removesuffix('Role')}Function": statements for name, statements in documents.items()}


def grants(statement: Statement) -> Iterator[Grant]:
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            yield Grant(action, resource)


def partitions(statement: Statement) -> list[str]:
    """The partition key patterns of a statement; empty if it covers the whole table."""
    return [
        pattern for keys in statement.get("Condition", {}).values() for pattern in _listed(keys.get(LEADING_KEYS, []))
    ]


def granting(statements: list[Statement], call: Call) -> set[Grant]:
    """The grants that allow the call; empty if it is refused."""
    return {
        grant
        for statement in statements
        if _conditions_hold(statement.get("Condition", {}), call)
        for grant in grants(statement)
        if fnmatchcase(call.action, grant.action) and fnmatchcase(call.resource, grant.resource)
    }


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], call: Call) -> bool:
    return all(
        _holds(operator, call.context.get(key), [str(one) for one in _listed(wanted)])
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, found: list[str] | None, wanted: list[str]) -> bool:
    every = operator.removeprefix("ForAllValues:") != operator
    operator = operator.removeprefix("ForAllValues:")
    if_exists = operator.removesuffix("IfExists") != operator
    operator = operator.removesuffix("IfExists")
    if found is None:
        return if_exists or every
    same = {"StringEquals": lambda one, pattern: one == pattern, "StringLike": fnmatchcase}[operator]
    return all(any(same(one, pattern) for pattern in wanted) for one in found)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
