"""The management API on the wire (pydantic), and how the registry's records look there."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from maas import records
from maas.aws.s3 import UploadPart
from maas.names import NAME_PATTERN

Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
Description = Annotated[str, StringConstraints(max_length=2000)]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TagValue = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Tags = Annotated[dict[TagKey, TagValue], Field(max_length=50)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
VersionNumber = Annotated[int, Field(ge=1, lt=10**9, strict=True)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CreateModel(_Body):
    name: Name
    description: Description = ""
    tags: Tags = {}


class DeclaredFile(_Body):
    name: Annotated[str, StringConstraints(max_length=200)]
    size_bytes: Annotated[int, Field(ge=1, strict=True)]
    sha256: Sha256


class CreateVersion(_Body):
    """Exactly one file is a `.onnx`; the others are its external data."""

    files: Annotated[list[DeclaredFile], Field(min_length=1)]
    description: Description = ""
    tags: Tags = {}


TagChanges = Annotated[dict[TagKey, TagValue | None], Field(max_length=50)]


class Change(_Body):
    """What is absent stays; a tag of null goes (JSON merge patch)."""

    description: Description | None = None
    tags: TagChanges = {}


class PutAlias(_Body):
    version: VersionNumber


class ModelStatus(StrEnum):
    READY = "READY"
    EMPTY = "EMPTY"
    DELETED = "DELETED"

    @classmethod
    def of(cls, model: records.RegisteredModel) -> "ModelStatus":
        if model.deleted_at:
            return cls.DELETED
        return cls.READY if model.latest_ready_version else cls.EMPTY


class Model(BaseModel):
    """Its status is READY when a version of it can be served."""

    name: str
    description: str
    tags: dict[str, str]
    status: ModelStatus
    aliases: dict[str, int]
    latest_ready_version: int | None
    created_at: str
    updated_at: str
    deleted_at: str | None

    @classmethod
    def of(cls, model: records.RegisteredModel) -> Self:
        made = {
            "aliases": {name: alias.version for name, alias in sorted(model.aliases.items())},
            "status": ModelStatus.of(model),
        }
        return cls.model_validate(_attributes(cls, model, *made) | made)


class Models(BaseModel):
    models: list[Model]
    next_page_token: str | None


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]


class File(BaseModel):
    name: str
    size_bytes: int
    sha256: str


class Version(BaseModel):
    model: str
    version: int
    status: records.Status
    status_reason: str | None
    description: str
    tags: dict[str, str]
    aliases: list[str]
    files: list[File]
    size_bytes: int
    inputs: list[Tensor] | None
    outputs: list[Tensor] | None
    profile: dict[str, float] | None
    created_at: str
    updated_at: str
    deleted_at: str | None

    @classmethod
    def of(cls, version: records.ModelVersion, aliases: list[str], **more: object) -> Self:
        tensors = {
            name: None
            if found is None
            else [Tensor(name=t.name, datatype=t.datatype, shape=list(t.shape)) for t in found]
            for name, found in (("inputs", version.inputs), ("outputs", version.outputs))
        }
        files = [File(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256) for file in version.files]
        plain = _attributes(Version, version, "version", "aliases", "files", *tensors)
        return cls.model_validate(
            plain | tensors | {"version": version.number, "aliases": aliases, "files": files} | more
        )


class Versions(BaseModel):
    versions: list[Version]
    next_page_token: str | None


class DeletedVersion(Version):
    """`removed_aliases` were on it, and went with it."""

    removed_aliases: list[str]


class Download(File):
    url: str


class Downloads(BaseModel):
    files: list[Download]
    expires_at: str


class Part(BaseModel):
    """PUT bytes [offset, offset + size_bytes) of the file to `url`, with exactly these headers."""

    url: str
    method: str
    headers: dict[str, str]
    offset: int
    size_bytes: int


class Upload(BaseModel):
    name: str
    parts: list[Part]


class CreatedVersion(Version):
    """When every part is uploaded, POST to …/complete."""

    uploads: list[Upload]

    @classmethod
    def with_uploads(cls, version: records.ModelVersion, uploads: dict[str, list[UploadPart]]) -> Self:
        listed = [
            Upload(
                name=name,
                parts=[
                    Part(url=p.url, method=p.method, headers=p.headers, offset=p.offset, size_bytes=p.size_bytes)
                    for p in parts
                ],
            )
            for name, parts in uploads.items()
        ]
        return cls.of(version, [], uploads=listed)


class Alias(BaseModel):
    alias: str
    model: str
    version: int
    previous_version: int | None
    updated_at: str

    @classmethod
    def of(cls, model: str, name: str, alias: records.Alias) -> Self:
        return cls(
            alias=name,
            model=model,
            version=alias.version,
            previous_version=alias.previous_version,
            updated_at=alias.updated_at,
        )


class Aliases(BaseModel):
    aliases: list[Alias]


class AliasAt(BaseModel):
    """`version` is null when the alias pointed to nothing then, or its model was deleted."""

    alias: str
    model: str
    at: str
    version: int | None


class HistoryEntry(BaseModel):
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
    def of(cls, entry: records.HistoryEntry) -> Self:
        return cls.model_validate(_attributes(cls, entry))


class History(BaseModel):
    entries: list[HistoryEntry]
    next_page_token: str | None


def _attributes(schema: type[BaseModel], record: object, *but: str) -> dict[str, object]:
    return {name: getattr(record, name) for name in schema.model_fields if name not in but}
