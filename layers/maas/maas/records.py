"""Records of the registry: models, versions, history entries."""

import zlib
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from maas.alias_records import Alias

LABELS_NAME = "labels.txt"  # names of the classes, one per line
EXAMPLE_NAMES = ("example.npz", "example.json")  # inputs that a version's model takes: run at deployment, not served
GOLDEN_FOLDER = "golden/"  # test vectors: run at deployment, not served
TOKENIZER_NAME = "tokenizer.json"  # all that a task needs of an export when it serves, beside its model
EXPORT_NAMES = (  # of an export's folder: they tell the task and its parameters
    TOKENIZER_NAME,
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "preprocessor_config.json",
)


def is_unserved(name: str) -> bool:
    """Whether a file of a version is for its deployment alone."""
    return name.startswith(GOLDEN_FOLDER) or name in EXAMPLE_NAMES


class Status(StrEnum):
    """Of a version. Deletion is no status: it is a mark beside it."""

    PENDING_UPLOAD = "PENDING_UPLOAD"
    VALIDATING = "VALIDATING"
    READY = "READY"
    FAILED = "FAILED"


class Stage(StrEnum):
    """What the validation of a version does, in this order."""

    CHECKING_DIGESTS = "checking digests"
    LOADING = "loading"
    SMOKE_RUN = "smoke run"
    PREPARING = "preparing"
    QUANTIZING = "quantizing"


@dataclass(frozen=True, slots=True)
class MetadataTensor:
    """An input or output of a model, in terms of the Open Inference Protocol. -1 is a variable dimension.

    An `optional` input may be left out: the graph has a default for it or works without. Elements of BYTES are text,
    unless they are `binary`, such as an image file.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    optional: bool = False
    binary: bool = False

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        return cls(**(fields | {"shape": tuple(fields["shape"])}))


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One uploaded file. `s3_version` is the validated object version, set at validation."""

    name: str
    size_bytes: int
    sha256: str
    s3_version: str | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """The model prepared for one kind of environment (`key`: see `maas.deployment.variants`), with measurements.

    No files: no prepared form loads faster with equal answers, so that environment serves the source.
    """

    key: str
    files: tuple[ModelFile, ...] = ()
    load_ms: float = 0.0
    run_ms: float = 0.0
    max_difference: float = 0.0

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        return cls(**(fields | {"files": tuple(ModelFile(**file) for file in fields["files"])}))


@dataclass(frozen=True, slots=True)
class Quantized:
    """The model with weights of fewer bits, served on request of its `scheme`, in any environment.

    `difference` is the largest difference of its outputs from the source's, relative to their largest value. No files:
    the form was not kept, for `reason`.
    """

    scheme: str
    tolerance: float
    files: tuple[ModelFile, ...] = ()
    size_bytes: int | None = None
    difference: float | None = None
    load_ms: float | None = None
    run_ms: float | None = None
    reason: str | None = None

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        return cls(**(fields | {"files": tuple(ModelFile(**file) for file in fields["files"])}))


@dataclass(frozen=True, slots=True)
class Task:
    """What a version does with texts or images: one step before its graph runs and one after.

    `parameters` are those of the steps, `origins` says where each came from, and `task` itself. The signature of the
    graph is `raw_inputs` and `raw_outputs`; the version's own is what the task takes and gives.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    raw_inputs: tuple[MetadataTensor, ...] = ()
    raw_outputs: tuple[MetadataTensor, ...] = ()

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        signature = {name: tuple(map(MetadataTensor.of, fields[name])) for name in ("raw_inputs", "raw_outputs")}
        return cls(**(fields | signature))


@dataclass(frozen=True, slots=True)
class RegisteredModel:
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
    def of(cls, fields: dict[str, Any]) -> Self:
        aliases = {name: Alias.of(alias) for name, alias in fields["aliases"].items()}
        return cls(**(fields | {"aliases": aliases}))

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
class ModelVersion:
    """An immutable set of files with the results of its validation. `revision` is the model's at its last change.

    `stage` is what the validation does at the moment (a Stage); None before and after it.
    `options` come from the push (see `maas.deployment.golden`); `origin` is the key of the inbox object, if any.
    """

    model: str
    number: int
    status: Status
    files: tuple[ModelFile, ...]
    created_at: str
    updated_at: str
    revision: int
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    status_reason: str | None = None
    inputs: tuple[MetadataTensor, ...] | None = None
    outputs: tuple[MetadataTensor, ...] | None = None
    task: Task | None = None
    profile: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    quantized: Quantized | None = None
    options: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    deleted_at: str | None = None
    purging: bool = False
    stage: str | None = None

    def etag(self, aliases: list[str]) -> str:
        """The ETag of the version as the API shows it, with its aliases."""
        return f'"{self.revision}-{zlib.crc32(" ".join(aliases).encode()):08x}"'

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        made = {
            "status": Status(fields["status"]),
            "files": tuple(ModelFile(**file) for file in fields["files"]),
            "inputs": fields["inputs"] and tuple(MetadataTensor.of(one) for one in fields["inputs"]),
            "task": Task.of(fields["task"]) if fields.get("task") else None,
            "warnings": tuple(fields.get("warnings", ())),
            "variants": tuple(Variant.of(one) for one in fields.get("variants", ())),
            "quantized": Quantized.of(fields["quantized"]) if fields.get("quantized") else None,
            "outputs": fields["outputs"] and tuple(MetadataTensor.of(one) for one in fields["outputs"]),
        }
        return cls(**(fields | made))

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def is_open(self) -> bool:
        """Neither READY nor FAILED: its files may still change."""
        return self.status in (Status.PENDING_UPLOAD, Status.VALIDATING)

    @property
    def model_file(self) -> ModelFile:
        """The file that onnxruntime opens; others are its external data."""
        return next(file for file in self.files if file.name.lower().endswith(".onnx"))

    @property
    def served_files(self) -> tuple[ModelFile, ...]:
        """The files needed to run it: not the test vectors, the example, and what the task was found in."""
        found_in = set(EXPORT_NAMES) - {TOKENIZER_NAME} if self.task else set()
        return tuple(file for file in self.files if not is_unserved(file.name) and file.name not in found_in)

    @property
    def side_files(self) -> tuple[ModelFile, ...]:
        """The served files that every form of the model needs beside it."""
        names = (LABELS_NAME, TOKENIZER_NAME) if self.task else (LABELS_NAME,)
        return tuple(file for file in self.files if file.name in names)

    @property
    def graph_outputs(self) -> tuple[MetadataTensor, ...] | None:
        """The outputs of the graph, which a task turns into those of the version."""
        return self.task.raw_outputs if self.task else self.outputs


@dataclass(frozen=True, slots=True)
class HistoryEntry:
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


def fields_of(record: RegisteredModel | ModelVersion | HistoryEntry) -> dict[str, Any]:
    """The record as plain values, which `of` reads. Empty text, the default, is left out."""
    plain = {name: value for name, value in asdict(record).items() if value != ""}
    if isinstance(record, RegisteredModel):
        plain["aliases"] = {name: alias.row() for name, alias in record.aliases.items()}
    return plain


@dataclass(frozen=True, slots=True)
class ModelQuota:
    """Limits of one model; 0 is unlimited."""

    versions: int = 0
    size_bytes: int = 0
