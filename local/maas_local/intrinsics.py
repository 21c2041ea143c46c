"""Reads CloudFormation's YAML with its short forms (`!Ref`, `!Sub`, …) and resolves its functions."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's
_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "maas-local",
}
_NO_VALUE = object()


class _Loader(yaml.CSafeLoader):  # twenty times as fast as the one in Python
    pass


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 (a safe loader)
    return document


class Resolver:
    """Resolves the functions that the template uses. Raises ValueError for an unknown function."""

    def __init__(
        self,
        document: Mapping[str, Any],
        parameters: Mapping[str, str],
        physical_name: Callable[[str], str],
        arn: Callable[[str], str],
    ) -> None:
        self._parameters = {
            name: parameters.get(name, declared.get("Default"))
            for name, declared in document.get("Parameters", {}).items()
        }
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self._physical_name, self._arn = physical_name, arn

    def resolve(self, value: Any) -> Any:
        """The value with every function replaced; AWS::NoValue is removed."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or str(name).startswith("Fn::") or (name == "Condition" and isinstance(argument, str)):
                return self._call(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def holds(self, condition: str) -> bool:
        return bool(self.resolve(self._conditions[condition]))

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                logical, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._arn(logical) if attribute == "Arn" else self._physical_name(logical)
            case "Fn::Sub":
                text, variables = (argument, {}) if isinstance(argument, str) else argument
                return self._substitute(text, self.resolve(variables))
            case "Fn::Join":
                return argument[0].join(map(str, self.resolve(argument[1])))
            case "Fn::If":
                return self.resolve(argument[1] if self.holds(argument[0]) else argument[2])
        return self._decide(name, argument)

    def _decide(self, name: str, argument: Any) -> bool:
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                return str(self.resolve(argument[0])) == str(self.resolve(argument[1]))
            case "Fn::Not":
                return not self.resolve(argument[0])
            case "Fn::And":
                return all(map(self.resolve, argument))
            case "Fn::Or":
                return any(map(self.resolve, argument))
        raise ValueError(f"the local stack does not support {name} ({argument!r})")

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._parameters:
            return self._parameters[name]
        return _PSEUDO.get(name) or self._physical_name(name)

    def _substitute(self, text: str, variables: Mapping[str, Any]) -> str:
        """Replace `${Name}` and `${Resource.Attribute}`; `${!Literal}` becomes `${Literal}`."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return str(variables[name])
            return str(self._call("Fn::GetAtt", name) if "." in name else self._reference(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
