"""Registered models, their quota and their history."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from maas.records.aliases import Alias
from maas.records.rows import Row, known


@dataclass(frozen=True, slots=True)
class RegisteredModel(Row):
    """A model with its aliases and counters. `revision` counts its changes; each has one history entry.

    `kept_versions` and `kept_bytes` count all versions that are not purged, including deleted ones. Versions up to
    `versions_before` belonged to purged models of this name.
    """

    name: str
    created_at: str
    updated_at: str
    revision: int
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    last_version: int = 0
    latest_ready_version: int | None = None
    latest_ready_task: str | None = None  # the name of its task, if it has one
    kept_versions: int = 0
    kept_bytes: int = 0
    deleted_at: str | None = None
    purging: bool = False
    purged: bool = False
    versions_before: int = 0

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        aliases = {name: Alias.of(alias) for name, alias in fields["aliases"].items()}
        return cls(**(known(cls, fields) | {"aliases": aliases}))

    def aliases_on(self, version: int) -> list[str]:
        """Names of the aliases that send requests to the version, be it a share of them."""
        return sorted(
            name for name, alias in self.aliases.items() if any(route.version == version for route in alias.shares)
        )

    def shadows_on(self, version: int) -> list[str]:
        """Names of the aliases that have the version as their shadow."""
        return sorted(name for name, alias in self.aliases.items() if alias.shadow and alias.shadow.version == version)

    def keeping(self, versions: int, size_bytes: int) -> Self:
        """The model with these numbers added to its kept versions and bytes."""
        return replace(self, kept_versions=self.kept_versions + versions, kept_bytes=self.kept_bytes + size_bytes)

    def with_alias(self, name: str, alias: Alias | None) -> Self:
        """The model with this alias set, or removed if None."""
        others = {key: value for key, value in self.aliases.items() if key != name}
        return replace(self, aliases=(others | {name: alias}) if alias else others)


@dataclass(frozen=True, slots=True)
class ModelQuota:
    """Limits of one model; 0 is unlimited."""

    versions: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class HistoryEntry(Row):
    """Who changed what, and when. `revision` is the model's after the change: entries are ordered, without gaps."""

    model: str
    revision: int
    at: str
    actor: str
    kind: str
    version: int | None = None
    alias: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
