"""Folders as Hugging Face's tools export them: their files, and which of several models is meant."""

from collections.abc import Sequence
from pathlib import Path

from maas_client.errors import InvalidInput

MODEL_SUFFIX = ".onnx"
TOKENIZER, PREPROCESSOR = "tokenizer.json", "preprocessor_config.json"
NAMES = (  # what tells the task of the model and its parameters, by their paths from the folder
    TOKENIZER,
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    PREPROCESSOR,
)
_DEFAULT_MODELS = ("model.onnx", "onnx/model.onnx")
_OTHER_TOKENIZERS = ("vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
_SHOWN_MODELS = 6


def export_files(folder: Path, inside: Sequence[Path]) -> list[str]:
    """The names of the export's files in `folder`, of which `inside` is all; none in a folder without a task."""
    found = [name for name in NAMES if folder / name in inside]
    return found if TOKENIZER in found or PREPROCESSOR in found else []


def lacks_tokenizer(folder: Path) -> bool:
    """Whether there is a vocabulary, but no tokenizer.json, which alone says how to use it."""
    has_vocabulary = any((folder / name).is_file() for name in _OTHER_TOKENIZERS)
    return has_vocabulary and not (folder / TOKENIZER).is_file()


def model_of(folder: Path, inside: Sequence[Path], variant: str | None) -> Path:
    """The folder's only model; of several the one that `variant` names, or an export's model.onnx.

    Raises InvalidInput.
    """
    models = {one.relative_to(folder).as_posix(): one for one in inside if one.suffix.lower() == MODEL_SUFFIX}
    if not models:
        raise InvalidInput(f"{folder} holds no .onnx file: export the model to ONNX first")
    if variant is not None:
        wanted = [name for name in models if variant in _names_of(name)]
        if len(wanted) != 1:
            found = "several models" if wanted else "no model"
            raise InvalidInput(f"{folder} has {found} of variant '{variant}': it holds {_listed(models)}")
        return models[wanted[0]]
    if len(models) == 1:
        return next(iter(models.values()))
    default = [name for name in _DEFAULT_MODELS if name in models]
    if len(default) == 1 and export_files(folder, inside):
        return models[default[0]]
    raise InvalidInput(
        f"{folder} holds {len(models)} .onnx files ({_listed(models)}): name one as the variant, with `--variant`"
    )


def _names_of(name: str) -> set[str]:
    """What may name a model: onnx/model_int8.onnx, model_int8.onnx, model_int8 and int8."""
    file = name.rpartition("/")[2]
    stem = file[: -len(MODEL_SUFFIX)]
    return {name, file, stem, stem.removeprefix("model_")}


def _listed(models: Sequence[str] | dict[str, Path]) -> str:
    names = sorted(models)
    more = f" and {len(names) - _SHOWN_MODELS} more" if len(names) > _SHOWN_MODELS else ""
    return ", ".join(names[:_SHOWN_MODELS]) + more
