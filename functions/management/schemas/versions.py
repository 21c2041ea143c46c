"""Versions on the wire: answers, and how files are uploaded and downloaded."""

from typing import Self

from pydantic import BaseModel

from maas import records
from maas.aws.s3 import UploadPart
from schemas.shared import EXAMPLE_LATER, EXAMPLE_TIME, Part, attributes, like
from schemas.version_parts import File, PreparedVariant, Profile, QuantizedForm, Task, Tensor, tensors_of
from schemas.version_requests import EXAMPLE_FILE

_VERSION = {
    "model": "digits",
    "version": 1,
    "status": "READY",
    "status_reason": None,
    "description": "A hundred trees",
    "tags": {"accuracy": "0.987"},
    "aliases": ["production"],
    "files": [EXAMPLE_FILE],
    "size_bytes": 6360000,
    "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 64]}],
    "outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]}],
    "task": None,
    "profile": {
        "shapes": {"image": [1, 64]},
        "shapes_from": "signature",
        "values": {},
        "load_ms": 12.5,
        "run_ms": 0.4,
        "run_ms_batch_32": 3.1,
        "peak_memory_bytes": 96000000,
        "golden_vectors": 0,
        "size_bytes": 6360000,
        "recommended_memory_mb": 512,
        "usd_per_million_requests": 0.29,
    },
    "warnings": [],
    "variants": [
        {"key": "1.32.0-x86_64-avx2", "size_bytes": 6360000, "load_ms": 3.1, "run_ms": 0.4, "max_difference": 0.0}
    ],
    "quantized": {
        "scheme": "dynamic-int8",
        "kept": True,
        "reason": None,
        "tolerance": 0.05,
        "difference": 0.012,
        "size_bytes": 1640000,
        "load_ms": 4.2,
        "run_ms": 0.3,
    },
    "created_at": EXAMPLE_TIME,
    "updated_at": EXAMPLE_LATER,
    "deleted_at": None,
}
_URL = "https://BUCKET.s3.amazonaws.com/models/digits/1/source/model.onnx?X-Amz-Signature=..."
_PART = {"url": _URL, "method": "PUT", "headers": {"x-amz-checksum-sha256": "..."}, "offset": 0, "size_bytes": 6360000}


class Version(BaseModel):
    model_config = like(**_VERSION)

    model: str
    version: int
    status: records.Status
    status_reason: str | None
    stage: records.Stage | None
    description: str
    tags: dict[str, str]
    aliases: list[str]
    files: list[File]
    size_bytes: int
    inputs: list[Tensor] | None
    outputs: list[Tensor] | None
    task: Task | None
    profile: Profile | None
    warnings: list[str]
    variants: list[PreparedVariant]
    quantized: QuantizedForm | None
    created_at: str
    updated_at: str
    deleted_at: str | None

    @classmethod
    def of(cls, version: records.ModelVersion, aliases: list[str], **more: object) -> Self:
        tensors = {
            name: None if found is None else tensors_of(found)
            for name, found in (("inputs", version.inputs), ("outputs", version.outputs))
        }
        files = [File(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256) for file in version.files]
        variants = [
            PreparedVariant(
                key=one.key,
                size_bytes=sum(file.size_bytes for file in one.files),
                load_ms=one.load_ms,
                run_ms=one.run_ms,
                max_difference=one.max_difference,
            )
            for one in version.variants
            if one.files
        ]
        plain = attributes(Version, version, "version", "aliases", "files", "variants", "quantized", "task", *tensors)
        given = {"version": version.number, "aliases": aliases, "files": files, "variants": variants}
        given |= {"quantized": QuantizedForm.of(version.quantized), "task": Task.of(version.task)}
        return cls.model_validate(plain | tensors | given | more)


class Versions(BaseModel):
    model_config = like(versions=[_VERSION], next_page_token=None)

    versions: list[Version]
    next_page_token: str | None


class DeletedVersion(Version):
    """`removed_aliases` led only to it and were removed; `changed_aliases` share its weight among other versions."""

    model_config = like(
        **_VERSION
        | {"aliases": [], "deleted_at": EXAMPLE_LATER, "removed_aliases": ["production"], "changed_aliases": ["beta"]}
    )

    removed_aliases: list[str]
    changed_aliases: list[str]


class Download(File):
    url: str


class Downloads(BaseModel):
    model_config = like(files=[EXAMPLE_FILE | {"url": _URL}], expires_at=EXAMPLE_LATER)

    files: list[Download]
    expires_at: str


class Upload(BaseModel):
    name: str
    parts: list[Part]


class CreatedVersion(Version):
    """When every part is uploaded, POST to …/complete."""

    model_config = like(
        **_VERSION | {"status": "PENDING_UPLOAD", "uploads": [{"name": "model.onnx", "parts": [_PART]}]}
    )

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
