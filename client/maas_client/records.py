"""What the API tells, as frozen dataclasses. Times are RFC 3339, in UTC. Fields not known here are passed over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    name: str
    description: str
    tags: dict[str, str]
    aliases: dict[str, int]
    latest_ready_version: int | None
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            name=fields["name"],
            description=fields.get("description") or "",
            tags=dict(fields.get("tags") or {}),
            aliases=dict(fields.get("aliases") or {}),
            latest_ready_version=fields.get("latest_ready_version"),
            created_at=fields["created_at"],
            updated_at=fields["updated_at"],
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
    """`inputs`, `outputs` and `profile` are empty until the version is READY; `status_reason` says why it is FAILED."""

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
    created_at: str
    updated_at: str

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
            created_at=fields["created_at"],
            updated_at=fields["updated_at"],
        )


@dataclass(frozen=True, slots=True)
class UploadPart:
    """Bytes [offset, offset + size_bytes) of a file go to `url` with exactly `headers`."""

    url: str
    method: str
    headers: dict[str, str]
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    parts: tuple[UploadPart, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            fields["name"],
            tuple(
                UploadPart(part["url"], part["method"], dict(part["headers"]), part["offset"], part["size_bytes"])
                for part in fields["parts"]
            ),
        )


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that waits for its files, and where they go."""

    version: ModelVersion
    uploads: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    alias: str
    model: str
    version: int
    updated_at: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(fields["alias"], fields["model"], fields["version"], fields["updated_at"])


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
    """`model_version` is the one that answered, whatever alias was asked for."""

    model_name: str
    model_version: str
    outputs: "dict[str, np.ndarray]"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push is. While the server checks the version there are no bytes to count: both are 0."""

    stage: Literal["hashing", "uploading", "checking"]
    done_bytes: int
    total_bytes: int
