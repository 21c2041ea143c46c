"""Versions on the wire: requests, answers, and how files are uploaded and downloaded."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import BaseModel, Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from maas import records
from maas.aws.s3 import UploadPart
from schemas.shared import EXAMPLE_LATER, EXAMPLE_TIME, Body, DeclaredFile, Description, Part, Tags, attributes, like

_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_FILE = {"name": "model.onnx", "size_bytes": 6360000, "sha256": _SHA256}
_VERSION = {
    "model": "digits",
    "version": 1,
    "status": "READY",
    "status_reason": None,
    "description": "A hundred trees",
    "tags": {"accuracy": "0.987"},
    "aliases": ["production"],
    "files": [_FILE],
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


class Golden(Body):
    """Allowed differences from the test vectors: |difference| ≤ atol + rtol * |expected|."""

    rtol: Annotated[float, Field(ge=0, le=1, strict=True)] = 1e-3
    atol: Annotated[float, Field(ge=0, le=1e9, strict=True)] = 1e-5


class Quantize(Body):
    """Asks for a quantised form, kept if its outputs differ by at most `tolerance` of their largest value."""

    scheme: Literal["dynamic-int8"]
    tolerance: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.05


SmokeRun = Literal["required", "optional"]
TaskName = Literal[
    "embeddings",
    "rerank",
    "text-classification",
    "token-classification",
    "zero-shot-classification",
    "fill-mask",
    "image-classification",
    "image-embeddings",
    "none",
]


class CreateVersion(Body):
    """Exactly one file is a `.onnx`; others are its external data, `labels.txt`, test vectors in `golden/`, and inputs
    that it takes, of at most 1 MB, as `example.npz` or `example.json`."""

    model_config = like(files=[_FILE], description="A hundred trees", tags={"accuracy": "0.987"})

    files: Annotated[list[DeclaredFile], Field(min_length=1)]
    golden: Golden = Golden()
    quantize: Quantize | None = None
    smoke_run: Annotated[
        SmokeRun, Field(description="optional: READY with a warning, never run, if no generated input runs.")
    ] = "required"
    task: Annotated[
        TaskName | None,
        Field(description="The task of an export's folder, if it shall not be found; none: tensors as the graph has."),
    ] = None
    description: Description = ""
    tags: Tags = Field({})

    def options(self) -> dict[str, object]:
        """Options of the deployment, as the version's record keeps them."""
        quantize = {"quantize": self.quantize.model_dump()} if self.quantize else {}
        smoke_run = {"smoke_run": self.smoke_run} if self.smoke_run != "required" else {}
        task = {"task": self.task} if self.task else {}
        return self.golden.model_dump() | quantize | smoke_run | task


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]


class Task(BaseModel):
    """What is done with texts or images before the graph runs and after; its signature is the version's.

    `origins` says where each of the `parameters` came from, and the task's name as `task`. `raw_inputs` and
    `raw_outputs` are the graph's own, for requests with `parameters.task` raw.
    """

    name: str
    parameters: dict[str, Any]
    origins: dict[str, str]
    raw_inputs: list[Tensor]
    raw_outputs: list[Tensor]

    @classmethod
    def of(cls, task: records.Task | None) -> Self | None:
        if task is None:
            return None
        raw = {"raw_inputs": _tensors(task.raw_inputs), "raw_outputs": _tensors(task.raw_outputs)}
        return cls.model_validate({"name": task.name, "parameters": task.parameters, "origins": task.origins} | raw)


def _tensors(tensors: Sequence[records.MetadataTensor]) -> list[Tensor]:
    return [Tensor(name=t.name, datatype=t.datatype, shape=list(t.shape)) for t in tensors]


class File(BaseModel):
    name: str
    size_bytes: int
    sha256: str


class Profile(TypedDict):
    """Measured at deployment with inputs of `shapes`; `shapes_from` is the origin of these inputs.

    Generated ones hold `values`, repeated along the last axis, or fractions where an input has none there; `values` is
    null if they are too many.
    """

    load_ms: float
    run_ms: float
    run_ms_batch_32: NotRequired[float]
    peak_memory_bytes: float
    golden_vectors: NotRequired[float]
    size_bytes: NotRequired[float]
    recommended_memory_mb: NotRequired[float]
    usd_per_million_requests: NotRequired[float]
    shapes: NotRequired[dict[str, list[int]]]
    shapes_from: NotRequired[Literal["golden", "example", "signature", "task"]]
    values: NotRequired[dict[str, list[bool | int | float | str]] | None]


class PreparedVariant(BaseModel):
    """The model optimised for one onnxruntime version and CPU; other environments run the source."""

    key: str
    size_bytes: int
    load_ms: float
    run_ms: float
    max_difference: float


class QuantizedForm(BaseModel):
    """If `kept`, served to requests with `parameters.variant` of this scheme; else `reason` says why not.

    `difference` is the largest difference from the source's outputs, over their largest value.
    """

    scheme: str
    kept: bool
    reason: str | None
    tolerance: float
    difference: float | None
    size_bytes: int | None
    load_ms: float | None
    run_ms: float | None

    @classmethod
    def of(cls, found: records.Quantized | None) -> Self | None:
        if found is None:
            return None
        return cls.model_validate(attributes(cls, found, "kept") | {"kept": bool(found.files)})


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
            name: None if found is None else _tensors(found)
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
    model_config = like(files=[_FILE | {"url": _URL}], expires_at=EXAMPLE_LATER)

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
