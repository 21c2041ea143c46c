"""What the API tells, as frozen dataclasses. Times are RFC 3339, in UTC. Fields not known here are passed over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    import numpy as np

    Outputs = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """`etag`, where the answer had one, is for `if_match`: change it only if nobody else did."""

    name: str
    description: str
    tags: dict[str, str]
    status: str
    aliases: dict[str, int]
    latest_ready_version: int | None
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    etag: str | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            name=fields["name"],
            description=fields.get("description") or "",
            tags=dict(fields.get("tags") or {}),
            status=fields["status"],
            aliases=dict(fields.get("aliases") or {}),
            latest_ready_version=fields.get("latest_ready_version"),
            created_at=fields["created_at"],
            updated_at=fields["updated_at"],
            deleted_at=fields.get("deleted_at"),
            etag=fields.get("etag"),
        )


@dataclass(frozen=True, slots=True)
class MetadataTensor:
    """An input or output of a model. -1 in `shape` is a variable dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @classmethod
    def all_of(cls, tensors: list[dict[str, Any]] | None) -> tuple[Self, ...]:
        return tuple(cls(one["name"], one["datatype"], tuple(one["shape"])) for one in tensors or ())


@dataclass(frozen=True, slots=True)
class ModelFile:
    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """`inputs`, `outputs` and `profile` are empty until it is READY; `quantized` is None where it was not asked for."""

    model: str
    version: int
    status: str
    status_reason: str | None
    description: str
    tags: dict[str, str]
    aliases: tuple[str, ...]
    files: tuple[ModelFile, ...]
    size_bytes: int
    inputs: tuple[MetadataTensor, ...]
    outputs: tuple[MetadataTensor, ...]
    profile: dict[str, Any]
    warnings: tuple[str, ...]
    variants: tuple[dict[str, Any], ...]
    quantized: dict[str, Any] | None
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    etag: str | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            model=fields["model"],
            version=fields["version"],
            status=fields["status"],
            status_reason=fields.get("status_reason"),
            description=fields.get("description") or "",
            tags=dict(fields.get("tags") or {}),
            aliases=tuple(fields.get("aliases") or ()),
            files=tuple(ModelFile(one["name"], one["size_bytes"], one["sha256"]) for one in fields["files"]),
            size_bytes=fields["size_bytes"],
            inputs=MetadataTensor.all_of(fields.get("inputs")),
            outputs=MetadataTensor.all_of(fields.get("outputs")),
            profile=dict(fields.get("profile") or {}),
            warnings=tuple(fields.get("warnings") or ()),
            variants=tuple(fields.get("variants") or ()),
            quantized=fields.get("quantized"),
            created_at=fields["created_at"],
            updated_at=fields["updated_at"],
            deleted_at=fields.get("deleted_at"),
            etag=fields.get("etag"),
        )


@dataclass(frozen=True, slots=True)
class UploadPart:
    """Bytes [offset, offset + size_bytes) of a file go to `url` with exactly `headers`."""

    url: str
    method: str
    headers: dict[str, str]
    offset: int
    size_bytes: int

    @classmethod
    def all_of(cls, parts: list[dict[str, Any]] | None) -> tuple[Self, ...]:
        return tuple(
            cls(part["url"], part["method"], dict(part["headers"]), part["offset"], part["size_bytes"])
            for part in parts or ()
        )


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    parts: tuple[UploadPart, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(fields["name"], UploadPart.all_of(fields["parts"]))


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that waits for its files, and where they go."""

    version: ModelVersion
    uploads: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """`previous_version` is where a rollback goes."""

    alias: str
    model: str
    version: int
    previous_version: int | None
    updated_at: str
    etag: str | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            alias=fields["alias"],
            model=fields["model"],
            version=fields["version"],
            previous_version=fields.get("previous_version"),
            updated_at=fields["updated_at"],
            etag=fields.get("etag"),
        )


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of a model: `actor` did `kind` to it, to its `version` or its `alias`. Revisions have no gap."""

    model: str
    revision: int
    at: str
    actor: str
    kind: str
    version: int | None
    alias: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            model=fields["model"],
            revision=fields["revision"],
            at=fields["at"],
            actor=fields["actor"],
            kind=fields["kind"],
            version=fields.get("version"),
            alias=fields.get("alias"),
            before=fields.get("before"),
            after=fields.get("after"),
        )


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a version; `url` is good for an hour or so, for whoever has it."""

    name: str
    size_bytes: int
    sha256: str
    url: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(fields["name"], fields["size_bytes"], fields["sha256"], fields["url"])


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What the inference API says of a model."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[MetadataTensor, ...]
    outputs: tuple[MetadataTensor, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            name=fields["name"],
            versions=tuple(fields.get("versions") or ()),
            platform=fields["platform"],
            inputs=MetadataTensor.all_of(fields["inputs"]),
            outputs=MetadataTensor.all_of(fields["outputs"]),
        )


@dataclass(frozen=True, slots=True)
class InferenceResponse:
    """`model_version` is the one that answered, whatever alias was asked for; `id` is the request's, if it had one."""

    model_name: str
    model_version: str
    outputs: "Outputs"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push or a download is. While the server checks a version there are no bytes to count: both are 0."""

    stage: Literal["hashing", "uploading", "checking", "downloading"]
    done_bytes: int
    total_bytes: int
