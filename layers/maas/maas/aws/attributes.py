"""Plain values to DynamoDB's typed attributes and back (without boto3, whose serializer refuses floats)."""

from typing import Any

Attribute = dict[str, Any]


def pack(value: Any) -> Attribute:
    """Raises TypeError for a type that is not supported."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str():
            return {"S": str(value)}
        case dict():
            return {"M": {key: pack(item) for key, item in value.items()}}
        case list() | tuple():
            return {"L": [pack(item) for item in value]}
    raise TypeError(f"no DynamoDB attribute for {type(value).__name__}")


def unpack(attribute: Attribute) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "M":
            return {key: unpack(item) for key, item in value.items()}
        case "L":
            return [unpack(item) for item in value]
        case "NULL":
            return None
    raise TypeError(f"no plain value for DynamoDB attribute type {kind}")
