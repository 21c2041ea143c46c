"""Models, versions and aliases, as frozen dataclasses. Times are RFC 3339, in UTC."""

from dataclasses import dataclass, field
from typing import Any

from maas_client.records.inference import MetadataTensor
from maas_client.records.transfers import ModelFile, Upload


@dataclass(frozen=True, slots=True)
class Route:
    """A share of an alias's requests: `weight` of a hundred go to `version`.

    >>> maas.aliases.get("digits", "production").routes
    (Route(version=1, weight=100),)
    """

    version: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """A model: READY once it has a READY version, else EMPTY; or DELETED.

    `aliases` name the version that gets most of their requests; `splits` has the routes of those with several.
    `task` is that of the newest READY version.
    `etag`, where the answer had one, is for `if_match`: change the model only if nobody else did.

    >>> maas.models.get("digits").latest_ready_version
    2
    """

    name: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    status: str
    aliases: dict[str, int] = field(default_factory=dict)
    splits: dict[str, tuple[Route, ...]] = field(default_factory=dict)
    latest_ready_version: int | None = None
    task: str | None = None
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a version does with texts or images before its graph runs and after: "embeddings", "rerank", …

    `origins` tells where each of the `parameters` came from, and the name as `task`. `raw_inputs` and `raw_outputs` are
    the graph's own, for `infer(..., parameters={"task": "raw"})`.

    >>> maas.push("model.onnx", "sentences").task.name
    'embeddings'
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    raw_inputs: tuple[MetadataTensor, ...] = ()
    raw_outputs: tuple[MetadataTensor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A version: PENDING_UPLOAD → VALIDATING → READY; or FAILED, for the `status_reason`.

    `inputs`, `outputs`, `task` and `profile` are empty until it is READY. `task` is None for a graph alone. `profile`
    is what deployment measured. `stage` is what the validation does at the moment, like "loading". `warnings` are
    about a READY version. `quantized` tells of the form that `quantize` asked for; None if it did not.

    >>> maas.versions.get("digits", 1).aliases
    ('production',)
    """

    model: str
    version: int
    status: str
    status_reason: str | None = None
    stage: str | None = None
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    files: tuple[ModelFile, ...]
    size_bytes: int
    inputs: tuple[MetadataTensor, ...] = ()
    outputs: tuple[MetadataTensor, ...] = ()
    task: Task | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    variants: tuple[dict[str, Any], ...] = ()
    quantized: dict[str, Any] | None = None
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version, and where to upload its files.

    >>> new = maas.versions.create("digits", [ModelFile("model.onnx", 4, "0" * 64)])
    >>> new.version.version
    3
    """

    version: ModelVersion
    uploads: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class DeletedVersion:
    """A deleted version, the aliases that were removed with it, and those that send its share to others now.

    >>> maas.versions.delete("digits", 1, force=True).removed_aliases
    ('production',)
    """

    version: ModelVersion
    removed_aliases: tuple[str, ...] = ()
    changed_aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for a version, or for several that share its requests. A rollback leads to `previous_routes`.

    `routes` is one with weight 100, or the shares, the newest version first; `version` is the one with the most weight.
    `sticky` says who keeps a route: "none", "caller", or "header:NAME". `rollout` is the id of an open one.
    `shadow` and `capture` say which requests are copied.

    >>> maas.aliases.set("digits", "production", 2).previous_version
    1
    """

    alias: str
    model: str
    version: int
    routes: tuple[Route, ...] = ()
    sticky: str = "none"
    rollout: int | None = None
    previous_version: int | None = None
    previous_routes: tuple[Route, ...] = ()
    shadow: dict[str, Any] | None = None
    capture: dict[str, Any] | None = None
    updated_at: str
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class AliasThen:
    """Where an alias led at a time: the `version` with the most weight, and all `routes`; None and none if nowhere.

    >>> from datetime import UTC, datetime
    >>> maas.aliases.at("digits", "production", datetime(2030, 1, 1, tzinfo=UTC)).routes
    (Route(version=1, weight=100),)
    """

    version: int | None = None
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One change: `actor` did `kind` to a model, its `version` or its `alias`. Revisions count up without a gap.

    >>> entry = maas.models.history("digits", 1)[0]
    >>> entry.kind, entry.alias, entry.version
    ('alias.set', 'production', 1)
    """

    model: str
    revision: int
    at: str
    actor: str
    kind: str
    version: int | None = None
    alias: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
