"""Versions of models."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from maas.records.files import EXPORT_NAMES, LABELS_NAME, TOKENIZER_NAME, ModelFile, is_unserved
from maas.records.forms import Quantized, Variant
from maas.records.rows import Row, known
from maas.records.signature import MetadataTensor, Task


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
class ModelVersion(Row):
    """An immutable set of files with the results of its validation. `revision` is the model's at its last change.

    `stage` is what the validation does at the moment (a Stage); None before and after it.
    `options` of its deployment come from the push (see `preparation.Job`); `origin` is the inbox object's key, if any.
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
    def of(cls, fields: Mapping[str, Any]) -> Self:
        made = {
            "status": Status(fields["status"]),
            "files": tuple(map(ModelFile.of, fields["files"])),
            "inputs": fields["inputs"] and tuple(MetadataTensor.of(one) for one in fields["inputs"]),
            "task": Task.of(fields["task"]) if fields.get("task") else None,
            "warnings": tuple(fields.get("warnings", ())),
            "variants": tuple(Variant.of(one) for one in fields.get("variants", ())),
            "quantized": Quantized.of(fields["quantized"]) if fields.get("quantized") else None,
            "outputs": fields["outputs"] and tuple(MetadataTensor.of(one) for one in fields["outputs"]),
        }
        return cls(**(known(cls, fields) | made))

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
