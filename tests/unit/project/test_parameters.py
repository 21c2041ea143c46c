"""What the parameters of template.yaml accept."""

import re
from typing import Any

import pytest

from maas_local import intrinsics
from support.aws.engine import TEMPLATE
from support.cloud.variants import OTHER_STACKS

PARAMETERS: dict[str, Any] = intrinsics.load(TEMPLATE.read_text())["Parameters"]
WRONG = [
    ("AlarmTopicArn", "alarms"),
    ("AlarmTopicArn", "arn:aws:sqs:us-east-1:123456789012:alarms"),
    ("CertificateArn", "12345678-1234-1234-1234-123456789012"),
    ("DomainName", "https://maas.example.com"),
    ("DomainName", "maas.example.com/v2"),
    ("HostedZoneId", "/hostedzone/Z0123456789"),
    ("JwtIssuer", "issuer.example.com"),
    ("JwtIssuer", "https://"),
    ("Release", "short"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_parameter_is_refused_with_what_is_expected(name: str, value: str) -> None:
    """CloudFormation refuses it before it makes anything, and not in the midst of a deployment."""
    parameter = PARAMETERS[name]
    assert not fits(parameter, value)
    assert parameter.get("ConstraintDescription") or parameter["Description"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_defaults_and_other_values_fit_their_parameter(name: str) -> None:
    parameter = PARAMETERS[name]
    others = [stack[name] for stack in OTHER_STACKS.values() if name in stack]
    assert all(fits(parameter, str(value)) for value in [parameter["Default"], *others])
    if parameter["Type"] == "Number" and "AllowedValues" not in parameter:
        assert parameter["MinValue"] >= 0


def fits(parameter: dict[str, Any], value: str) -> bool:
    allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
    limits = (parameter.get("MinValue"), parameter.get("MaxValue"))
    within = all(
        limit is None or sign * float(value) >= sign * limit for sign, limit in zip((1, -1), limits, strict=True)
    )
    return bool(value in allowed and within and re.fullmatch(parameter.get("AllowedPattern", ".*"), value))
