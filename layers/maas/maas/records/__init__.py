"""Records of the registry: models, versions, aliases, history entries. Frozen, without rules."""

from maas.records.files import (
    EXAMPLE_NAMES,
    EXPORT_NAMES,
    GOLDEN_FOLDER,
    LABELS_NAME,
    TOKENIZER_NAME,
    ModelFile,
    is_unserved,
)
from maas.records.forms import Quantized, Variant
from maas.records.models import HistoryEntry, ModelQuota, RegisteredModel
from maas.records.rows import fields_of
from maas.records.signature import MetadataTensor, Task
from maas.records.versions import ModelVersion, Stage, Status

__all__ = [
    "EXAMPLE_NAMES",
    "EXPORT_NAMES",
    "GOLDEN_FOLDER",
    "LABELS_NAME",
    "TOKENIZER_NAME",
    "HistoryEntry",
    "MetadataTensor",
    "ModelFile",
    "ModelQuota",
    "ModelVersion",
    "Quantized",
    "RegisteredModel",
    "Stage",
    "Status",
    "Task",
    "Variant",
    "fields_of",
    "is_unserved",
]
