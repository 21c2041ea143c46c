"""Resource types that MiniStack lacks or refuses. test_schemas.py checks against AWS's schemas what it only names.

- CodeDeploy has no emulation: an application and a deployment group are names, and an alias moves at once.
- An alarm on metric math is a name.
- CloudFormation makes numbers and booleans of parameters' texts; MiniStack hands the texts on, and "false" is true:
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

_NAMES_ONLY = ("AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup")


def mend() -> None:
    handlers = provisioners._RESOURCE_HANDLERS
    for kind in _NAMES_ONLY:
        handlers[kind] = {"create": _name, "update": lambda name, *_: (name, {}), "delete": lambda *_: None}
    _mend_alarms(handlers["AWS::CloudWatch::Alarm"])
    for kind, convert in _TYPED.items():
        for step in ("create", "update"):
            handlers[kind][step] = _converted(handlers[kind][step], convert)


def _name(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    return provisioners._physical_name(stack, logical_id, max_len=100), {}


def _mend_alarms(alarm: dict[str, Any]) -> None:
    create, update = alarm["create"], alarm.get("update")

    def create_any(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        if "Metrics" not in properties:
            return create(logical_id, properties, stack)
        name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
        return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}

    def update_any(name: str, old: Any, new: dict[str, Any], stack: str, *rest: Any, **options: Any) -> Any:
        if "Metrics" in new:
            return create_any(name, new | {"AlarmName": name}, stack)
        return update(name, old, new, stack, *rest, **options)

    alarm["create"] = create_any
    if update:
        alarm["update"] = update_any


def _converted(step: Callable[..., Any], convert: Callable[[dict[str, Any]], None]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        for properties in arguments:
            if isinstance(properties, dict):
                convert(properties)
        return step(*arguments, **options)

    return call


def _scaling(mapping: dict[str, Any]) -> None:
    for name in ("ScalingConfig", "ProvisionedPollerConfig"):
        if limits := mapping.get(name):
            mapping[name] = {limit: int(value) for limit, value in limits.items()}


def _protection(table: dict[str, Any]) -> None:
    if "DeletionProtectionEnabled" in table:
        table["DeletionProtectionEnabled"] = str(table["DeletionProtectionEnabled"]).lower() == "true"


_TYPED = {"AWS::Lambda::EventSourceMapping": _scaling, "AWS::DynamoDB::Table": _protection}
