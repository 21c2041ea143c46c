"""Locales that a model's StringNormalizers ask for and this system does not have."""

from pathlib import Path

from maas.deployment import onnx_file
from maas.errors import ModelRejected
from maas.serving.locales import is_known

_KEEP: onnx_file.Keep = {"NodeProto": {"op_type", "attribute"}, "AttributeProto": {"name", "s"}}


def check_locales(path: Path) -> None:
    """Raises ModelRejected for a model that asks for a missing one, saying how to export it."""
    for name in _wanted(path):
        if not is_known(name):
            raise ModelRejected(
                f"the model's StringNormalizer asks for the locale '{name:.80}', which is not there: export it with "
                "the locale C.UTF-8 (skl2onnx: options={TfidfVectorizer: {'locale': 'C.UTF-8'}})"
            )


def _wanted(path: Path) -> list[str]:
    nodes = (part for part in onnx_file.parts(path, _KEEP) if part.kind == "NodeProto")
    asking = (node for node in nodes if node.shown("op_type") == "StringNormalizer")
    return [one.shown("s") for node in asking for one in node.parts("attribute") if one.shown("name") == "locale"]
