"""Files of a version, and the names that mean something."""

from dataclasses import dataclass

from maas.records.rows import Row

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


@dataclass(frozen=True, slots=True)
class ModelFile(Row):
    """One uploaded file. `s3_version` is the validated object version, set at validation."""

    name: str
    size_bytes: int
    sha256: str
    s3_version: str | None = None
