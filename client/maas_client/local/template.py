"""What the local stack needs to know of template.yaml, as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from maas_client.local import intrinsics
from maas_client.local.intrinsics import ACCOUNT, REGION

NAME = "maas-local"  # of the bucket and the table; everything else is called by its logical id
# What moto or DynamoDB Local do not take, and what changes nothing for a table in memory.
_TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    folder: Path
    handler: str
    environment: dict[str, str]
    timeout_seconds: float
    memory_mb: int
    attempts: int  # of an asynchronous event


@dataclass(frozen=True, slots=True)
class Route:
    """`path` as API Gateway writes it: `/v2/{proxy+}`. `method` may be ANY."""

    method: str
    path: str
    function: str


@dataclass(frozen=True, slots=True)
class EventRule:
    name: str
    pattern: dict[str, Any]
    function: str


class Template:
    def __init__(self, path: Path, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self._folder, self._document = path.parent, document
        self._resources: dict[str, Any] = document["Resources"]
        self._resolver = intrinsics.Resolver(document, parameters, self._physical_name, self._arn)

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str] | None = None) -> Self:
        """Parameters that are not given have the template's defaults."""
        return cls(path, intrinsics.load(path.read_text()), parameters or {})

    def functions(self) -> dict[str, Function]:
        return {name: self._function(name, properties) for name, properties in self._of_type("Serverless::Function")}

    def routes(self) -> list[Route]:
        return [
            Route(event["Method"].upper(), event["Path"], function)
            for function, _, event in self._events("HttpApi")
            if "Path" in event
        ]

    def event_rules(self) -> list[EventRule]:
        return [
            EventRule(f"{function}{name}", event["Pattern"], function)
            for function, name, event in self._events("EventBridgeRule")
        ]

    def table_request(self) -> dict[str, Any]:
        """The arguments of CreateTable but for its name."""
        ((_, properties),) = self._of_type("DynamoDB::Table")
        return {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}

    def _function(self, name: str, properties: dict[str, Any]) -> Function:
        defaults = self._resolver.resolve(self._document.get("Globals", {}).get("Function", {}))
        merged = defaults | properties
        variables = {
            key: str(value)
            for source in (defaults, properties)
            for key, value in source.get("Environment", {}).get("Variables", {}).items()
        }
        return Function(
            name,
            self._folder / merged["CodeUri"],
            merged["Handler"],
            variables,
            float(merged["Timeout"]),
            int(merged["MemorySize"]),
            1 + int(merged.get("EventInvokeConfig", {}).get("MaximumRetryAttempts", 2)),
        )

    def _events(self, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (function, name, event["Properties"])
            for function, properties in self._of_type("Serverless::Function")
            for name, event in properties.get("Events", {}).items()
            if event["Type"] == kind
        ]

    def _of_type(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            (name, self._resolver.resolve(resource["Properties"]))
            for name, resource in self._resources.items()
            if resource["Type"] == f"AWS::{kind}"
        ]

    def _physical_name(self, logical: str) -> str:
        kind = self._resources[logical]["Type"]
        return NAME if kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table") else logical

    def _arn(self, logical: str) -> str:
        kind = self._resources[logical]["Type"]
        if kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self._physical_name(logical)}"
        return f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{self._physical_name(logical)}"
