"""The resources of a template that are there: those whose condition holds, with every function resolved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from maas_local import intrinsics
from maas_local.intrinsics import ACCOUNT, REGION

NAME = "maas-local"  # of the bucket and the table; other resources are named by their logical id


class Resources:
    def __init__(self, folder: Path, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self.folder, self._document = folder, document
        self._declared: dict[str, Any] = document["Resources"]
        self._resolver = intrinsics.Resolver(document, parameters, self._physical_name, self._arn)

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str]) -> Self:
        return cls(path.parent, intrinsics.load(path.read_text(encoding="utf-8")), parameters)

    def of_type(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """The logical id and the properties of each; `kind` without `AWS::`."""
        return [
            (name, self._resolver.resolve(resource.get("Properties", {})))
            for name, resource in self._declared.items()
            if resource["Type"] == f"AWS::{kind}" and self._is_there(resource)
        ]

    def events(self, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        """The function, the name and the properties of each event of this kind that calls a function."""
        return [
            (function, name, event["Properties"])
            for function, properties in self.of_type("Serverless::Function")
            for name, event in properties.get("Events", {}).items()
            if event["Type"] == kind
        ]

    def parameters(self) -> dict[str, dict[str, Any]]:
        """The declaration of each."""
        found: dict[str, dict[str, Any]] = self._document.get("Parameters", {})
        return found

    def function_defaults(self) -> dict[str, Any]:
        """What `Globals` says of all functions."""
        found: dict[str, Any] = self._resolver.resolve(self._document.get("Globals", {}).get("Function", {}))
        return found

    def _is_there(self, resource: dict[str, Any]) -> bool:
        return "Condition" not in resource or self._resolver.holds(resource["Condition"])

    def _physical_name(self, logical: str) -> str:
        """The value of `Ref` for a resource; for a queue its name, as the local stack does not know its URL yet."""
        kind = self._declared[logical]["Type"]
        return NAME if kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table") else logical

    def _arn(self, logical: str) -> str:
        kind = self._declared[logical]["Type"]
        if kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self._physical_name(logical)}"
        return f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{self._physical_name(logical)}"
