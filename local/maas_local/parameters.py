"""Parameters of the template that whoever starts the local stack gives, held against their declarations.

Declarations: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from maas_client.errors import InvalidInput

ENDPOINT = "AwsEndpointUrl"


def parsed(pairs: Iterable[str]) -> dict[str, str]:
    """Values by name, from texts NAME=VALUE. Raises InvalidInput for another text, and for a name that comes twice."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise InvalidInput(f"--parameter: got {pair!r:.100}, expected NAME=VALUE")
        if name in found:
            raise InvalidInput(f"--parameter: {name} is given twice")
        found[name] = value
    return found


def check(given: Mapping[str, str], declared: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises InvalidInput for a name that is not declared, and for a value that its declaration does not allow."""
    for name, value in given.items():
        if name == ENDPOINT:
            raise InvalidInput(f"--parameter: `maas local` sets {ENDPOINT} itself; set the variable AWS_ENDPOINT_URL")
        if name not in declared:
            raise InvalidInput(f"--parameter: the template has no {name!r:.100}, only {', '.join(sorted(declared))}")
        if expected := _mismatch(value, declared[name]):
            raise InvalidInput(f"--parameter {name}: got {value!r:.100}, expected {expected}")


def _mismatch(value: str, rules: Mapping[str, Any]) -> str | None:
    """What was expected, if not this."""
    allowed = [_text(one) for one in rules.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}"
    if not re.fullmatch(rules.get("AllowedPattern", "(?s:.*)"), value):
        return f"what matches {rules['AllowedPattern']}"
    if rules.get("Type") != "Number":
        return None
    least, most = rules.get("MinValue"), rules.get("MaxValue")
    try:
        number = Decimal(value)
    except InvalidOperation:
        return "a number"
    if not number.is_finite() or (least is not None and number < least) or (most is not None and number > most):
        return f"a number from {least} to {most}" if most is not None else f"a number from {least}"
    return None


def _text(value: Any) -> str:
    """As CloudFormation writes YAML's values."""
    return str(value).lower() if isinstance(value, bool) else str(value)
